-- What ended and whose rights changed. The front row may be one that tells nothing any more: it is
-- the last place that was forgotten, so that the feed is never without its end. A stamp is drawn for
-- each place, so that a place of another past (a backup, a standby that lacked the last commits) is
-- not taken for one of this.
CREATE TABLE cloakroom.feed (
    place bigint NOT NULL PRIMARY KEY,
    stamp bigint NOT NULL,
    at bigint,
    session bytea,
    reason text COLLATE "C",
    user_id text COLLATE "C"
);
INSERT INTO cloakroom.feed (place, stamp) VALUES (1, @stamp@);

-- Whoever was let in to the tables before is let in to this one.
DO $$
DECLARE
    g record;
BEGIN
    FOR g IN SELECT a.privilege_type AS may, a.grantee AS who
        FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
        WHERE c.oid = 'cloakroom.tombstones'::regclass AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT %s ON cloakroom.feed TO %s', g.may,
            CASE WHEN g.who = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.who)) END);
    END LOOP;
END $$;

-- Writes into the feed that these sessions ended, or, for one id that is null, a new epoch of a user.
--
-- The lock is held until the commit is seen by all, so that places follow the order of the commits:
-- whoever sees one sees all before it. Nothing else may be waited for after it.
CREATE FUNCTION cloakroom.tell(p_ids bytea[], p_reason text, p_user text, p_at bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_ids = '{}' THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(@feed_lock@);
    INSERT INTO cloakroom.feed (place, stamp, at, session, reason, user_id)
        SELECT last.place + t.n, @stamp@, p_at, t.id, p_reason, p_user
        FROM (SELECT coalesce(max(place), 0) AS place FROM cloakroom.feed) AS last
            CROSS JOIN unnest(p_ids) WITH ORDINALITY AS t (id, n);
END $$;

-- Every key that leads to these sessions, which are locked.
CREATE FUNCTION cloakroom.keys_of(p_ids bytea[]) RETURNS bytea[] LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(
        SELECT key FROM cloakroom.sessions WHERE id = ANY (p_ids)
        UNION ALL SELECT key FROM cloakroom.forwarders WHERE session = ANY (p_ids));
END $$;

-- Tells all who listen that something else is behind these keys from the commit on. 120 keys in
-- hexadecimal are 7,680 bytes, and 8,000 are refused. A notification makes commits of a whole server
-- wait for each other: none is sent of data or touches.
CREATE FUNCTION cloakroom.call_out(p_keys bytea[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('@channel@', string_agg(encode(k.key, 'hex'), ''))
        FROM unnest(p_keys) WITH ORDINALITY AS k (key, n) GROUP BY (k.n - 1) / 120;
END $$;

-- Forgets notices that are too old or too many, p_look at most, and says whether there may be more.
CREATE FUNCTION cloakroom.forget_news(p_now bigint, p_look bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_last bigint;
    v_count bigint;
BEGIN
    -- One sweep at a time: two would wait for each other's rows.
    IF NOT pg_try_advisory_xact_lock(@trim_lock@) THEN
        RETURN false;
    END IF;
    SELECT max(place), count(*) INTO v_last, v_count FROM (
        SELECT place, bool_and(at <= p_now - @feed_kept@
            OR place <= (SELECT max(place) FROM cloakroom.feed) - @feed_max@) OVER (ORDER BY place)
            AS is_over
        FROM (SELECT place, at FROM cloakroom.feed WHERE at IS NOT NULL ORDER BY place LIMIT p_look)
            AS front
    ) AS judged WHERE is_over;
    IF v_count = 0 THEN
        RETURN false;
    END IF;
    DELETE FROM cloakroom.feed WHERE place < v_last;
    UPDATE cloakroom.feed SET at = NULL, session = NULL, reason = NULL, user_id = NULL
        WHERE place = v_last;
    RETURN v_count = p_look;
END $$;

CREATE OR REPLACE FUNCTION cloakroom.create_session(
    p_key bytea, p_id bytea, p_user text, p_factors integer, p_authenticated bigint,
    p_remembered bigint, p_created bigint, p_seen bigint, p_idle bigint, p_absolute bigint,
    p_agent text, p_data text[], p_max bigint, p_refuse boolean, p_now bigint
) RETURNS TABLE (ids bytea[], answer cloakroom.answer) LANGUAGE plpgsql AS $$
DECLARE
    v_leaving bytea[];
    v_keys bytea[];
BEGIN
    PERFORM cloakroom.durably(true);
    PERFORM cloakroom.lock_user(p_user, p_max IS NOT NULL);
    v_leaving := cloakroom.leaving(p_user, NULL, p_max, p_refuse, p_now);
    IF v_leaving IS NULL AND NOT cloakroom.key_taken(p_key)
        AND NOT EXISTS (SELECT FROM cloakroom.sessions WHERE id = p_id) THEN
        answer.outcome := 'full';
        RETURN NEXT;
        RETURN QUERY SELECT NULL::bytea[], h FROM cloakroom.held(p_user, NULL, p_now) AS h;
        RETURN;
    ELSIF v_leaving IS NOT NULL AND cloakroom.put(p_key, p_id, p_user, p_factors,
        p_authenticated, p_remembered, p_created, p_seen, p_idle, p_absolute, p_agent, p_data) THEN
        answer.outcome := 'done';
        IF v_leaving <> '{}' THEN
            PERFORM cloakroom.lock_sessions(v_leaving);
            v_keys := cloakroom.keys_of(v_leaving);
            ids := cloakroom.bury(v_leaving, 'evicted', 'system', p_now);
            PERFORM cloakroom.call_out(v_keys);
            PERFORM cloakroom.tell(ids, 'evicted', NULL, p_now);
        END IF;
    ELSE
        answer.outcome := 'taken';
    END IF;
    RETURN NEXT;
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
    v_replaced bytea[];
    v_keys bytea[];
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
            v_keys := cloakroom.keys_of(v_leaving || a.id);
            IF v_leaving <> '{}' THEN
                ids := cloakroom.bury(v_leaving, 'evicted', 'system', p_now);
            END IF;
            v_replaced := cloakroom.bury(ARRAY[a.id], p_reason, p_by, p_now);
            IF NOT cloakroom.put(p_key, p_id, p_user, p_factors, p_authenticated, p_remembered,
                p_created, p_seen, p_idle, p_absolute, p_agent, v_data) THEN
                RAISE unique_violation;
            END IF;
            SELECT 'done', @session@ INTO a FROM cloakroom.sessions s WHERE s.id = p_id;
            PERFORM cloakroom.call_out(v_keys);
            PERFORM cloakroom.tell(coalesce(ids, '{}'), 'evicted', NULL, p_now);
            PERFORM cloakroom.tell(v_replaced, p_reason, NULL, p_now);
        END IF;
    END IF;
    answer := a;
    RETURN NEXT;
    IF a.outcome = 'full' THEN
        RETURN QUERY SELECT NULL::bytea[], h FROM cloakroom.held(p_user, p_old, p_now) AS h;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION cloakroom.end_session(
    p_key bytea, p_id bytea, p_reason text, p_by text, p_now bigint
) RETURNS cloakroom.answer LANGUAGE plpgsql AS $$
DECLARE
    a cloakroom.answer;
    v_ids bytea[];
    v_keys bytea[];
BEGIN
    PERFORM cloakroom.durably(true);
    IF p_key IS NOT NULL THEN
        a := cloakroom.find(p_key);
    ELSE
        SELECT 'found', @session@ INTO a FROM cloakroom.sessions s WHERE s.id = p_id FOR UPDATE;
    END IF;
    IF a.until IS NOT NULL THEN
        a.outcome := CASE WHEN cloakroom.is_open(a, p_now) THEN 'stale' ELSE 'gone' END;
    ELSIF a.id IS NOT NULL AND (p_now < LEAST(a.idle_deadline, a.absolute_deadline)
        OR a.user_id IS NOT NULL AND p_now < a.remembered_until) THEN
        v_keys := cloakroom.keys_of(ARRAY[a.id]);
        v_ids := cloakroom.bury(ARRAY[a.id], p_reason, p_by, p_now);
        PERFORM cloakroom.call_out(v_keys);
        PERFORM cloakroom.tell(v_ids, p_reason, NULL, p_now);
        a.outcome := 'ended';
    ELSE
        a.outcome := 'gone';
    END IF;
    RETURN a;
END $$;

CREATE OR REPLACE FUNCTION cloakroom.end_all(
    p_user text, p_except bytea, p_reason text, p_by text, p_now bigint
) RETURNS bytea[] LANGUAGE plpgsql AS $$
DECLARE
    v_ids bytea[];
    v_keys bytea[];
BEGIN
    PERFORM cloakroom.durably(true);
    PERFORM cloakroom.lock_user(p_user, true);
    v_ids := ARRAY(
        SELECT id FROM cloakroom.sessions
        WHERE user_id = p_user AND id IS DISTINCT FROM p_except AND @stays@ > p_now);
    PERFORM cloakroom.lock_sessions(v_ids);
    v_keys := cloakroom.keys_of(v_ids);
    v_ids := cloakroom.bury(v_ids, p_reason, p_by, p_now);
    PERFORM cloakroom.call_out(v_keys);
    PERFORM cloakroom.tell(v_ids, p_reason, NULL, p_now);
    RETURN v_ids;
END $$;

CREATE OR REPLACE FUNCTION cloakroom.amend(
    p_user text, p_names text[], p_members text[], p_durably boolean, p_now bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_ids bytea[];
    v_changed bigint;
BEGIN
    PERFORM cloakroom.durably(p_durably);
    PERFORM cloakroom.lock_user(p_user, true);
    v_ids := ARRAY(
        SELECT id FROM cloakroom.sessions WHERE user_id = p_user AND @stays@ > p_now);
    v_changed := cardinality(v_ids);
    IF p_names <> '{}' THEN
        PERFORM cloakroom.lock_sessions(v_ids);
        UPDATE cloakroom.sessions SET version = version + 1,
            data = cloakroom.changed(data, p_names, p_members) WHERE id = ANY (v_ids);
        GET DIAGNOSTICS v_changed = ROW_COUNT;
        PERFORM cloakroom.call_out(cloakroom.keys_of(v_ids));
    END IF;
    PERFORM cloakroom.tell(ARRAY[NULL]::bytea[], NULL, p_user, p_now);
    RETURN v_changed;
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
    PERFORM cloakroom.call_out(cloakroom.keys_of(ARRAY[a.id]));
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
    PERFORM cloakroom.call_out(cloakroom.keys_of(ARRAY[a.id]));
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

-- One step of a sweep, which looks at p_look rows at most and frees p_limit entries at most.
CREATE OR REPLACE FUNCTION cloakroom.sweep(p_now bigint, p_limit bigint, p_look bigint)
RETURNS TABLE (removed bigint, outcome text) LANGUAGE plpgsql AS $$
DECLARE
    v_later bytea[];
    v_due bytea[];
    v_seen bigint;
    v_older bigint;
    v_forgotten bigint;
    v_is_news_left boolean;
BEGIN
    PERFORM cloakroom.durably(false);
    SELECT coalesce(array_agg(d.id) FILTER (WHERE d.stays > p_now), '{}'),
        coalesce(array_agg(d.id ORDER BY d.sweep_at) FILTER (WHERE d.stays <= p_now), '{}'), count(*)
        INTO v_later, v_due, v_seen FROM (
            SELECT id, sweep_at, @stays@ AS stays FROM cloakroom.sessions WHERE sweep_at <= p_now
            ORDER BY sweep_at LIMIT p_look FOR UPDATE SKIP LOCKED) AS d;
    UPDATE cloakroom.sessions SET sweep_at = @stays@ WHERE id = ANY (v_later);
    removed := LEAST(cardinality(v_due), p_limit);
    PERFORM cloakroom.free(v_due[1:p_limit], p_now);
    IF cardinality(v_due) > p_limit THEN
        outcome := 'more';
    ELSIF v_seen = p_look THEN
        outcome := 'continue';
    ELSE
        v_older := cloakroom.free_forwarders(p_now, LEAST(p_limit - removed, p_look));
        removed := removed + v_older;
        WITH gone AS (
            DELETE FROM cloakroom.tombstones WHERE seq = ANY (ARRAY(
                SELECT seq FROM cloakroom.tombstones WHERE at <= p_now - @kept@
                ORDER BY at LIMIT LEAST(p_limit - removed, p_look) FOR UPDATE SKIP LOCKED))
            RETURNING 1
        ) SELECT count(*) INTO v_forgotten FROM gone;
        removed := removed + v_forgotten;
        v_is_news_left := cloakroom.forget_news(p_now, p_look);
        outcome := CASE
            WHEN NOT EXISTS (SELECT FROM cloakroom.forwarders WHERE until <= p_now)
                AND NOT EXISTS (SELECT FROM cloakroom.tombstones WHERE at <= p_now - @kept@)
                THEN CASE WHEN v_is_news_left THEN 'continue' ELSE 'clean' END
            WHEN removed < p_limit AND v_older + v_forgotten > 0 THEN 'continue'
            ELSE 'more' END;
    END IF;
    RETURN NEXT;
END $$;
