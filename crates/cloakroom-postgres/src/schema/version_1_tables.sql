-- Times are milliseconds since 1970 UTC. Indexed columns do not change with the data or the idle
-- deadline, so that both are updated in place on their page (HOT); the room that this takes is what
-- fillfactor leaves. sweep_at is lazy for the same reason: a touch leaves it alone, and the sweep
-- files the row again under its true deadline.
CREATE TABLE cloakroom.sessions (
    version bigint NOT NULL,
    created_at bigint NOT NULL,
    seen_at bigint NOT NULL,
    idle_deadline bigint NOT NULL,
    absolute_deadline bigint NOT NULL,
    sweep_at bigint NOT NULL,
    authenticated_at bigint,
    remembered_until bigint,
    factors integer NOT NULL,
    unseen boolean NOT NULL DEFAULT false,
    id bytea NOT NULL PRIMARY KEY,
    key bytea NOT NULL,
    user_id text COLLATE "C",
    user_agent text COLLATE "C",
    -- One element per field, `"name":value` with the value to the letter, sorted by name.
    data text[] COLLATE "C" NOT NULL
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE UNIQUE INDEX sessions_by_key ON cloakroom.sessions (key);
CREATE INDEX sessions_by_user ON cloakroom.sessions (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_by_sweep_at ON cloakroom.sessions (sweep_at);

CREATE TABLE cloakroom.forwarders (
    until bigint NOT NULL,
    grace bigint,
    authenticated_at bigint,
    remembered_until bigint,
    factors integer NOT NULL,
    key bytea NOT NULL PRIMARY KEY,
    session bytea NOT NULL,
    user_id text COLLATE "C"
) WITH (fillfactor = 80);
CREATE INDEX forwarders_by_session ON cloakroom.forwarders (session);
CREATE INDEX forwarders_by_until ON cloakroom.forwarders (until);

CREATE TABLE cloakroom.tombstones (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    at bigint NOT NULL,
    key bytea NOT NULL PRIMARY KEY,
    reason text COLLATE "C" NOT NULL,
    by text COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX tombstones_by_seq ON cloakroom.tombstones (seq);
CREATE INDEX tombstones_by_at ON cloakroom.tombstones (at);

-- For people.
CREATE VIEW cloakroom.sessions_readable AS SELECT
    encode(id, 'hex') AS id,
    user_id,
    version,
    factors,
    to_timestamp(created_at / 1000.0) AS created_at,
    to_timestamp(seen_at / 1000.0) AS seen_at,
    to_timestamp(authenticated_at / 1000.0) AS authenticated_at,
    to_timestamp(LEAST(idle_deadline, absolute_deadline) / 1000.0) AS ends_at,
    to_timestamp(remembered_until / 1000.0) AS remembered_until,
    user_agent,
    ('{' || array_to_string(data, ',') || '}')::json AS data
FROM cloakroom.sessions;

-- What is behind a key: a session, perhaps through an older key, or what is remembered of one.
CREATE TYPE cloakroom.answer AS (
    outcome text,
    id bytea,
    version bigint,
    user_id text,
    factors integer,
    authenticated_at bigint,
    remembered_until bigint,
    created_at bigint,
    seen_at bigint,
    idle_deadline bigint,
    absolute_deadline bigint,
    unseen boolean,
    user_agent text,
    data text[],
    -- Only if an older key led there: when it stops working, and the identity it shows.
    until bigint,
    before_user_id text,
    before_factors integer,
    before_authenticated_at bigint,
    before_remembered_until bigint,
    -- Only if there is no session any more.
    ended_at bigint,
    reason text,
    ended_by text
);
