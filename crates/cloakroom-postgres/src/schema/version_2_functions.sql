-- What would go into a new session, or stay behind a new key, has to be what a release can read:
-- else the change is undone, because its answer could not be told.
CREATE FUNCTION cloakroom.refuse_damage(p_id bytea, p_data text[]) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF array_position(p_data, NULL) IS NOT NULL
        OR EXISTS (SELECT FROM unnest(p_data) AS d (m) WHERE m !~ '^"\u0040?[A-Za-z0-9_.-]+":') THEN
        RAISE 'session % is damaged', encode(p_id, 'hex') USING ERRCODE = 'data_corrupted';
    END IF;
    PERFORM ('{' || array_to_string(p_data, ',') || '}')::json;
END $$;

CREATE OR REPLACE FUNCTION cloakroom.replace_session(
    p_old bytea, p_keep text[], p_names text[], p_members text[], p_reason text, p_by text,
    p_key bytea, p_id bytea, p_user text, p_factors integer, p_authenticated bigint,
    p_remembered bigint, p_created bigint, p_seen bigint, p_idle bigint, p_absolute bigint,
    p_agent text, p_max bigint, p_refuse boolean, p_now bigint
) RETURNS TABLE (ids bytea[], answer cloakroom.answer) LANGUAGE plpgsql AS $$
DECLARE
    a cloakroom.answer;
    v_leaving bytea[];
    v_data text[];
BEGIN
    PERFORM cloakroom.durably(true);
    PERFORM cloakroom.lock_user(p_user, p_max IS NOT NULL);
    v_leaving := cloakroom.leaving(p_user, p_old, p_max, p_refuse, p_now);
    PERFORM cloakroom.lock_sessions(
        coalesce(v_leaving, '{}') || ARRAY(SELECT id FROM cloakroom.sessions WHERE key = p_old));
    a := cloakroom.find(p_old);
    IF NOT cloakroom.is_open(a, p_now) THEN
        a.outcome := 'gone';
    ELSIF a.until IS NOT NULL THEN
        a.outcome := 'stale';
    ELSE
        v_data := cloakroom.changed(cloakroom.kept(a.data, p_keep), p_names, p_members);
        PERFORM cloakroom.refuse_damage(a.id, v_data);
        IF cloakroom.key_taken(p_key) OR EXISTS (SELECT FROM cloakroom.sessions WHERE id = p_id) THEN
            a.outcome := 'taken';
        ELSIF v_leaving IS NULL THEN
            a.outcome := 'full';
        ELSE
            IF v_leaving <> '{}' THEN
                ids := cloakroom.bury(v_leaving, 'evicted', 'system', p_now);
            END IF;
            PERFORM cloakroom.bury(ARRAY[a.id], p_reason, p_by, p_now);
            IF NOT cloakroom.put(p_key, p_id, p_user, p_factors, p_authenticated, p_remembered,
                p_created, p_seen, p_idle, p_absolute, p_agent, v_data) THEN
                RAISE unique_violation;
            END IF;
            SELECT 'done', @session@ INTO a FROM cloakroom.sessions s WHERE s.id = p_id;
        END IF;
    END IF;
    answer := a;
    RETURN NEXT;
    IF a.outcome = 'full' THEN
        RETURN QUERY SELECT NULL::bytea[], h FROM cloakroom.held(p_user, p_old, p_now) AS h;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION cloakroom.renew_session(
    p_old bytea, p_key bytea, p_proof boolean, p_user text, p_factors integer,
    p_authenticated bigint, p_remembered bigint, p_anew boolean, p_created bigint, p_seen bigint,
    p_idle bigint, p_absolute bigint, p_grace bigint, p_until bigint, p_now bigint
) RETURNS cloakroom.answer LANGUAGE plpgsql AS $$
DECLARE
    a cloakroom.answer;
BEGIN
    PERFORM cloakroom.durably(true);
    a := cloakroom.find(p_old);
    a.outcome := CASE
        WHEN NOT cloakroom.is_open(a, p_now) THEN 'gone'
        WHEN a.until IS NOT NULL THEN 'stale'
        WHEN p_proof AND p_user IS DISTINCT FROM a.user_id THEN 'user'
        WHEN cloakroom.key_taken(p_key) THEN 'taken'
        ELSE 'done' END;
    IF a.outcome <> 'done' THEN
        RETURN a;
    END IF;
    PERFORM cloakroom.refuse_damage(a.id, a.data);
    IF a.version < 1 OR a.factors NOT BETWEEN 0 AND 65535
        OR LEAST(a.created_at, a.seen_at, a.authenticated_at, a.remembered_until) < 0
        OR octet_length(a.user_id) NOT BETWEEN 1 AND 255
        OR a.user_id ~ '[\u0001-\u001f\u007f-\u009f]' THEN
        RAISE 'session % is damaged', encode(a.id, 'hex') USING ERRCODE = 'data_corrupted';
    END IF;
    INSERT INTO cloakroom.forwarders (
        key, session, user_id, factors, authenticated_at, remembered_until, until, grace
    ) VALUES (
        p_old, a.id, a.user_id, a.factors, a.authenticated_at, a.remembered_until, p_until, p_grace
    );
    UPDATE cloakroom.sessions SET key = p_key, version = version + 1, unseen = true
        WHERE id = a.id;
    IF p_proof THEN
        UPDATE cloakroom.sessions SET factors = p_factors, authenticated_at = p_authenticated,
            remembered_until = p_remembered WHERE id = a.id;
    END IF;
    IF p_anew THEN
        UPDATE cloakroom.sessions SET created_at = p_created, seen_at = p_seen,
            idle_deadline = LEAST(p_idle, p_absolute), absolute_deadline = p_absolute
            WHERE id = a.id;
    END IF;
    IF p_proof OR p_anew THEN
        UPDATE cloakroom.sessions SET sweep_at = @stays@ WHERE id = a.id;
    END IF;
    SELECT 'done', @session@ INTO a FROM cloakroom.sessions s WHERE s.id = a.id;
    RETURN a;
END $$;

-- The row stays and becomes the new session, so that whoever waits for it finds that.
CREATE OR REPLACE FUNCTION cloakroom.resume_session(
    p_key bytea, p_keep text[], p_names text[], p_members text[], p_id bytea, p_user text,
    p_factors integer, p_authenticated bigint, p_remembered bigint, p_created bigint,
    p_seen bigint, p_idle bigint, p_absolute bigint, p_agent text, p_now bigint
) RETURNS cloakroom.answer LANGUAGE plpgsql AS $$
DECLARE
    a cloakroom.answer;
    v_data text[];
BEGIN
    PERFORM cloakroom.durably(true);
    PERFORM cloakroom.lock_user(p_user, false);
    a := cloakroom.find(p_key);
    a.outcome := CASE
        WHEN cloakroom.is_open(a, p_now) THEN 'live'
        WHEN a.id IS NULL OR a.until IS NOT NULL OR a.user_id IS NULL
            OR a.remembered_until IS NULL OR p_now >= a.remembered_until THEN 'gone'
        WHEN p_user IS DISTINCT FROM a.user_id THEN 'user'
        WHEN EXISTS (SELECT FROM cloakroom.sessions WHERE id = p_id) THEN 'id'
        ELSE 'done' END;
    IF a.outcome <> 'done' THEN
        RETURN a;
    END IF;
    v_data := cloakroom.changed(cloakroom.kept(a.data, p_keep), p_names, p_members);
    PERFORM cloakroom.refuse_damage(a.id, v_data);
    PERFORM cloakroom.bury_forwarders(ARRAY[a.id], 'replaced', 'holder', p_now);
    UPDATE cloakroom.sessions SET id = p_id, version = 1, factors = p_factors,
        authenticated_at = p_authenticated, remembered_until = p_remembered,
        created_at = p_created, seen_at = p_seen, idle_deadline = p_idle,
        absolute_deadline = p_absolute, unseen = false, user_agent = p_agent, data = v_data,
        sweep_at = GREATEST(LEAST(p_idle, p_absolute), p_remembered)
        WHERE id = a.id;
    SELECT 'done', @session@ INTO a FROM cloakroom.sessions s WHERE s.id = p_id;
    RETURN a;
END $$;
