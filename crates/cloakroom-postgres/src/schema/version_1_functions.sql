-- Each verb is one call, so that it is one round trip and one transaction. In READ COMMITTED each
-- statement of a function sees what was committed before it: a statement that waited for a lock and
-- found its row gone is followed by one that sees where the row went.
--
-- Locks are taken in one order, so that verbs do not wait for each other in a circle: first the
-- user's, then rows of sessions by id, then the rest. What works on many rows of many users skips
-- those that are locked.

-- What is acknowledged is on the disk when it is committed, whatever the server's default is.
CREATE FUNCTION cloakroom.durably(p_durably boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT p_durably THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    ELSIF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
END $$;

-- Nobody else begins, ends or counts sessions of this user; those who only begin one may do so
-- beside each other.
CREATE FUNCTION cloakroom.lock_user(p_user text, p_alone boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_user IS NULL THEN
        RETURN;
    ELSIF p_alone THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(p_user, @seed@));
    ELSE
        PERFORM pg_advisory_xact_lock_shared(hashtextextended(p_user, @seed@));
    END IF;
END $$;

-- What is behind a key, whatever the clocks say. A session that is found stays locked.
CREATE FUNCTION cloakroom.find(p_key bytea) RETURNS cloakroom.answer LANGUAGE plpgsql AS $$
DECLARE
    v_session bytea;
    a cloakroom.answer;
BEGIN
    SELECT 'found', @session@ INTO a
        FROM cloakroom.sessions s WHERE s.key = p_key FOR UPDATE;
    IF FOUND THEN
        RETURN a;
    END IF;
    SELECT f.session INTO v_session FROM cloakroom.forwarders f WHERE f.key = p_key;
    IF FOUND THEN
        PERFORM 1 FROM cloakroom.sessions s WHERE s.id = v_session FOR UPDATE;
        SELECT 'found', @session@, @forwarder@ INTO a
            FROM cloakroom.forwarders f JOIN cloakroom.sessions s ON s.id = f.session
            WHERE f.key = p_key AND f.session = v_session;
        IF FOUND THEN
            RETURN a;
        END IF;
    END IF;
    a := NULL;
    SELECT t.at, t.reason, t.by INTO a.ended_at, a.reason, a.ended_by
        FROM cloakroom.tombstones t WHERE t.key = p_key;
    a.outcome := 'gone';
    RETURN a;
END $$;

-- Whether what was found is live for whoever came with the key.
CREATE FUNCTION cloakroom.is_open(a cloakroom.answer, p_now bigint) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN a.id IS NOT NULL AND p_now < LEAST(a.idle_deadline, a.absolute_deadline)
        AND (a.until IS NULL OR p_now < a.until);
END $$;

-- These fields after a change: names are quoted, and a member that is null is removed.
CREATE FUNCTION cloakroom.changed(p_data text[], p_names text[], p_members text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_data text[];
    v_fields bigint;
    v_longest bigint;
    v_bytes bigint;
BEGIN
    IF p_names = '{}' THEN
        RETURN p_data;
    END IF;
    SELECT coalesce(array_agg(m ORDER BY m COLLATE "C"), '{}'), count(*),
        max(octet_length(m) - strpos(m, ':')), sum(octet_length(m) + 1) + 1
        INTO v_data, v_fields, v_longest, v_bytes FROM (
            SELECT m FROM unnest(p_data) AS had (m) WHERE split_part(m, ':', 1) <> ALL (p_names)
            UNION ALL
            SELECT m FROM unnest(p_members) AS new (m) WHERE m IS NOT NULL
        ) AS members;
    IF v_fields > @fields_max@ THEN
        RAISE 'the session would have % fields, more than @fields_max@', v_fields
            USING ERRCODE = 'CLK01';
    ELSIF v_longest > @field_max@ THEN
        RAISE 'a field would be % bytes, more than @field_max@', v_longest
            USING ERRCODE = 'CLK01';
    ELSIF v_bytes > @session_max@ THEN
        RAISE 'the session''s data would be % bytes, more than @session_max@', v_bytes
            USING ERRCODE = 'CLK01';
    END IF;
    RETURN v_data;
END $$;

-- The fields of these names, or all.
CREATE FUNCTION cloakroom.kept(p_data text[], p_keep text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF p_keep IS NULL THEN
        RETURN p_data;
    END IF;
    RETURN ARRAY(SELECT m FROM unnest(p_data) AS had (m) WHERE split_part(m, ':', 1) = ANY (p_keep));
END $$;

-- Whether a key means anything to this store, be it only as a memory.
CREATE FUNCTION cloakroom.key_taken(p_key bytea) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN EXISTS (SELECT FROM cloakroom.sessions WHERE key = p_key)
        OR EXISTS (SELECT FROM cloakroom.forwarders WHERE key = p_key)
        OR EXISTS (SELECT FROM cloakroom.tombstones WHERE key = p_key);
END $$;

-- Forgets the endings that were remembered first, beyond the bound.
CREATE FUNCTION cloakroom.forget_beyond_bound() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM cloakroom.tombstones WHERE seq = ANY (ARRAY(
        SELECT seq FROM cloakroom.tombstones
        WHERE seq <= (SELECT max(seq) FROM cloakroom.tombstones) - @tombstones_max@
        ORDER BY seq LIMIT 1000 FOR UPDATE SKIP LOCKED));
END $$;

-- Removes the older keys of sessions, which are locked. What ran out before tells so.
CREATE FUNCTION cloakroom.bury_forwarders(p_ids bytea[], p_reason text, p_by text, p_at bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH gone AS (
        DELETE FROM cloakroom.forwarders WHERE session = ANY (p_ids) RETURNING key, until
    )
    INSERT INTO cloakroom.tombstones (key, at, reason, by)
        SELECT key, LEAST(until, p_at),
            CASE WHEN until <= p_at THEN 'replaced' ELSE p_reason END,
            CASE WHEN until <= p_at THEN 'system' ELSE p_by END
        FROM gone ORDER BY key
        ON CONFLICT (key) DO UPDATE
        SET at = excluded.at, reason = excluded.reason, by = excluded.by;
END $$;

-- Locks sessions in the order that all verbs keep. One by one, because a plan for many that was made
-- while the table was small may read all of it.
CREATE FUNCTION cloakroom.lock_sessions(p_ids bytea[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_id bytea;
BEGIN
    FOREACH v_id IN ARRAY ARRAY(SELECT unnest(p_ids) ORDER BY 1) LOOP
        PERFORM 1 FROM cloakroom.sessions WHERE id = v_id FOR UPDATE;
    END LOOP;
END $$;

-- Ends sessions and remembers why; gives the ids of those that were still there, in their order.
CREATE FUNCTION cloakroom.bury(p_ids bytea[], p_reason text, p_by text, p_at bigint)
RETURNS bytea[] LANGUAGE plpgsql AS $$
DECLARE
    v_ids bytea[];
BEGIN
    PERFORM cloakroom.lock_sessions(p_ids);
    PERFORM cloakroom.bury_forwarders(p_ids, p_reason, p_by, p_at);
    WITH gone AS (
        DELETE FROM cloakroom.sessions WHERE id = ANY (p_ids) RETURNING id, key
    ), told AS (
        INSERT INTO cloakroom.tombstones (key, at, reason, by)
            SELECT key, p_at, p_reason, p_by FROM gone ORDER BY key
            ON CONFLICT (key) DO UPDATE
            SET at = excluded.at, reason = excluded.reason, by = excluded.by
    )
    SELECT coalesce(array_agg(id ORDER BY array_position(p_ids, id)), '{}') INTO v_ids FROM gone;
    PERFORM cloakroom.forget_beyond_bound();
    RETURN v_ids;
END $$;

-- Which sessions of a user have to go before one more may begin; null if that is refused.
CREATE FUNCTION cloakroom.leaving(
    p_user text, p_replaced bytea, p_max bigint, p_refuse boolean, p_now bigint
) RETURNS bytea[] LANGUAGE plpgsql AS $$
DECLARE
    v_ids bytea[];
    v_surplus bigint;
BEGIN
    IF p_user IS NULL OR p_max IS NULL THEN
        RETURN '{}';
    END IF;
    SELECT coalesce(array_agg(id ORDER BY seen_at, id), '{}') INTO v_ids
        FROM cloakroom.sessions
        WHERE user_id = p_user AND key IS DISTINCT FROM p_replaced AND @stays@ > p_now;
    v_surplus := cardinality(v_ids) + 1 - p_max;
    IF v_surplus <= 0 THEN
        RETURN '{}';
    END IF;
    RETURN CASE WHEN p_refuse THEN NULL ELSE v_ids[1:v_surplus] END;
END $$;

-- The sessions that a limit is reached by.
CREATE FUNCTION cloakroom.held(p_user text, p_replaced bytea, p_now bigint)
RETURNS SETOF cloakroom.answer LANGUAGE sql AS $$
    SELECT 'full'::text, @session@, @nothing_else@ FROM cloakroom.sessions s
    WHERE s.user_id = p_user AND s.key IS DISTINCT FROM p_replaced AND @stays@ > p_now
    ORDER BY s.id
$$;

-- Puts a new row there; false if its key or its id is taken.
CREATE FUNCTION cloakroom.put(
    p_key bytea, p_id bytea, p_user text, p_factors integer, p_authenticated bigint,
    p_remembered bigint, p_created bigint, p_seen bigint, p_idle bigint, p_absolute bigint,
    p_agent text, p_data text[]
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cloakroom.sessions AS s (
        key, id, version, user_id, factors, authenticated_at, remembered_until, created_at,
        seen_at, idle_deadline, absolute_deadline, sweep_at, user_agent, data
    ) VALUES (
        p_key, p_id, 1, p_user, p_factors, p_authenticated, p_remembered, p_created, p_seen,
        p_idle, p_absolute,
        GREATEST(LEAST(p_idle, p_absolute), CASE WHEN p_user IS NOT NULL THEN p_remembered END),
        p_agent, p_data
    ) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- The row keeps others from taking the key; what they did before is seen from here on.
    IF EXISTS (SELECT FROM cloakroom.forwarders WHERE key = p_key)
        OR EXISTS (SELECT FROM cloakroom.tombstones WHERE key = p_key) THEN
        DELETE FROM cloakroom.sessions WHERE id = p_id;
        RETURN false;
    END IF;
    RETURN true;
END $$;

CREATE FUNCTION cloakroom.create_session(
    p_key bytea, p_id bytea, p_user text, p_factors integer, p_authenticated bigint,
    p_remembered bigint, p_created bigint, p_seen bigint, p_idle bigint, p_absolute bigint,
    p_agent text, p_data text[], p_max bigint, p_refuse boolean, p_now bigint
) RETURNS TABLE (ids bytea[], answer cloakroom.answer) LANGUAGE plpgsql AS $$
DECLARE
    v_leaving bytea[];
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
            ids := cloakroom.bury(v_leaving, 'evicted', 'system', p_now);
        END IF;
    ELSE
        answer.outcome := 'taken';
    END IF;
    RETURN NEXT;
END $$;

CREATE FUNCTION cloakroom.commit_session(
    p_key bytea, p_expect bigint, p_names text[], p_members text[], p_seen bigint, p_idle bigint,
    p_durably boolean, p_now bigint
) RETURNS cloakroom.answer LANGUAGE plpgsql AS $$
DECLARE
    a cloakroom.answer;
BEGIN
    PERFORM cloakroom.durably(p_durably);
    a := cloakroom.find(p_key);
    IF NOT cloakroom.is_open(a, p_now) THEN
        a.outcome := 'gone';
        RETURN a;
    ELSIF p_expect <> a.version THEN
        a.outcome := 'conflict';
        RETURN a;
    END IF;
    a.seen_at := GREATEST(a.seen_at, p_seen);
    a.idle_deadline := LEAST(GREATEST(a.idle_deadline, p_idle), a.absolute_deadline);
    IF p_names <> '{}' THEN
        a.version := a.version + 1;
        a.data := cloakroom.changed(a.data, p_names, p_members);
        UPDATE cloakroom.sessions SET version = a.version, data = a.data,
            seen_at = a.seen_at, idle_deadline = a.idle_deadline WHERE id = a.id;
    ELSE
        UPDATE cloakroom.sessions SET seen_at = a.seen_at, idle_deadline = a.idle_deadline
            WHERE id = a.id AND (seen_at, idle_deadline) <> (a.seen_at, a.idle_deadline);
    END IF;
    a.outcome := 'done';
    RETURN a;
END $$;

-- Touches of different keys. What is locked, forwarded or over is left out: it is asked for alone.
-- The plan is made for each batch, since the best one depends on the sizes of both sides.
CREATE FUNCTION cloakroom.touch_sessions(
    p_keys bytea[], p_seen bigint[], p_idle bigint[], p_now bigint[]
) RETURNS TABLE (outcome text, @session_types@, asked bigint) LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    PERFORM cloakroom.durably(false);
    RETURN QUERY
        WITH locked AS (
            SELECT s.id, t.seen, t.idle, t.now, t.n
            FROM unnest(p_keys, p_seen, p_idle, p_now) WITH ORDINALITY AS t (key, seen, idle, now, n)
            JOIN cloakroom.sessions s ON s.key = t.key
            WHERE t.now < LEAST(s.idle_deadline, s.absolute_deadline)
            ORDER BY s.id FOR UPDATE OF s SKIP LOCKED
        )
        UPDATE cloakroom.sessions s SET seen_at = GREATEST(s.seen_at, l.seen),
            idle_deadline = LEAST(GREATEST(s.idle_deadline, l.idle), s.absolute_deadline)
        FROM locked l WHERE s.id = l.id
        RETURNING 'done'::text, @session@, l.n;
END $$;

-- The renewed key was seen: the grace of the older ones begins, if it has not.
CREATE FUNCTION cloakroom.confirm(p_key bytea, p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_session bytea;
BEGIN
    PERFORM cloakroom.durably(false);
    UPDATE cloakroom.sessions SET unseen = false WHERE key = p_key AND unseen
        RETURNING id INTO v_session;
    UPDATE cloakroom.forwarders SET until = LEAST(until, p_now + grace), grace = NULL
        WHERE session = v_session AND grace IS NOT NULL;
END $$;

CREATE FUNCTION cloakroom.replace_session(
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

CREATE FUNCTION cloakroom.renew_session(
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
CREATE FUNCTION cloakroom.resume_session(
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

CREATE FUNCTION cloakroom.end_session(
    p_key bytea, p_id bytea, p_reason text, p_by text, p_now bigint
) RETURNS cloakroom.answer LANGUAGE plpgsql AS $$
DECLARE
    a cloakroom.answer;
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
        PERFORM cloakroom.bury(ARRAY[a.id], p_reason, p_by, p_now);
        a.outcome := 'ended';
    ELSE
        a.outcome := 'gone';
    END IF;
    RETURN a;
END $$;

CREATE FUNCTION cloakroom.end_all(
    p_user text, p_except bytea, p_reason text, p_by text, p_now bigint
) RETURNS bytea[] LANGUAGE plpgsql AS $$
DECLARE
    v_ids bytea[];
BEGIN
    PERFORM cloakroom.durably(true);
    PERFORM cloakroom.lock_user(p_user, true);
    v_ids := ARRAY(
        SELECT id FROM cloakroom.sessions
        WHERE user_id = p_user AND id IS DISTINCT FROM p_except AND @stays@ > p_now);
    RETURN cloakroom.bury(v_ids, p_reason, p_by, p_now);
END $$;

CREATE FUNCTION cloakroom.amend(
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
    IF p_names = '{}' THEN
        RETURN cardinality(v_ids);
    END IF;
    PERFORM cloakroom.lock_sessions(v_ids);
    UPDATE cloakroom.sessions SET version = version + 1,
        data = cloakroom.changed(data, p_names, p_members) WHERE id = ANY (v_ids);
    GET DIAGNOSTICS v_changed = ROW_COUNT;
    RETURN v_changed;
END $$;

-- One step of a sweep, which looks at p_look rows at most and frees p_limit entries at most.
CREATE FUNCTION cloakroom.sweep(p_now bigint, p_limit bigint, p_look bigint)
RETURNS TABLE (removed bigint, outcome text) LANGUAGE plpgsql AS $$
DECLARE
    v_later bytea[];
    v_due bytea[];
    v_seen bigint;
    v_older bigint;
    v_forgotten bigint;
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
        outcome := CASE
            WHEN NOT EXISTS (SELECT FROM cloakroom.forwarders WHERE until <= p_now)
                AND NOT EXISTS (SELECT FROM cloakroom.tombstones WHERE at <= p_now - @kept@)
                THEN 'clean'
            WHEN removed < p_limit AND v_older + v_forgotten > 0 THEN 'continue'
            ELSE 'more' END;
    END IF;
    RETURN NEXT;
END $$;

-- Removes expired sessions, which are locked, and remembers for the rest of the day that they are.
CREATE FUNCTION cloakroom.free(p_ids bytea[], p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH over AS (
        SELECT s.id, s.key, LEAST(s.idle_deadline, s.absolute_deadline) AS at,
            CASE WHEN s.absolute_deadline <= s.idle_deadline THEN 'absolute' ELSE 'idle' END AS reason
        FROM cloakroom.sessions s WHERE s.id = ANY (p_ids)
    ), older AS (
        DELETE FROM cloakroom.forwarders f USING over o WHERE f.session = o.id
        RETURNING f.key, LEAST(f.until, o.at) AS at,
            CASE WHEN f.until <= o.at THEN 'replaced' ELSE o.reason END AS reason
    )
    INSERT INTO cloakroom.tombstones (key, at, reason, by)
        SELECT key, at, reason, 'system' FROM (
            SELECT key, at, reason FROM over UNION ALL SELECT key, at, reason FROM older
        ) AS gone WHERE p_now < at + @kept@ ORDER BY key
        ON CONFLICT (key) DO UPDATE
        SET at = excluded.at, reason = excluded.reason, by = excluded.by;
    DELETE FROM cloakroom.sessions WHERE id = ANY (p_ids);
    PERFORM cloakroom.forget_beyond_bound();
END $$;

-- Removes older keys whose time is over, and says how many.
CREATE FUNCTION cloakroom.free_forwarders(p_now bigint, p_limit bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_keys bytea[];
BEGIN
    v_keys := ARRAY(
        SELECT key FROM cloakroom.forwarders WHERE until <= p_now
        ORDER BY until LIMIT p_limit FOR UPDATE SKIP LOCKED);
    WITH gone AS (
        DELETE FROM cloakroom.forwarders WHERE key = ANY (v_keys) RETURNING key, until, session
    ), told AS (
        SELECT g.key, CASE WHEN o.at < g.until THEN o.at ELSE g.until END AS at,
            CASE WHEN o.at < g.until THEN o.reason ELSE 'replaced' END AS reason
        FROM gone g LEFT JOIN LATERAL (
            SELECT LEAST(s.idle_deadline, s.absolute_deadline) AS at,
                CASE WHEN s.absolute_deadline <= s.idle_deadline THEN 'absolute' ELSE 'idle' END
                AS reason
            FROM cloakroom.sessions s WHERE s.id = g.session
                AND LEAST(s.idle_deadline, s.absolute_deadline) <= p_now
        ) AS o ON true
    )
    INSERT INTO cloakroom.tombstones (key, at, reason, by)
        SELECT key, at, reason, 'system' FROM told WHERE p_now < at + @kept@ ORDER BY key
        ON CONFLICT (key) DO UPDATE
        SET at = excluded.at, reason = excluded.reason, by = excluded.by;
    RETURN cardinality(v_keys);
END $$;
