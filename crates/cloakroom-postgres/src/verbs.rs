//! The statement of each verb. All but the two that read in several tables are calls of a function.

/// What is asked of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Verb {
    Load,
    LoadAll,
    Confirm,
    Create,
    Commit,
    Touch,
    Replace,
    Renew,
    Resume,
    End,
    EndAll,
    Amend,
    List,
    Scan,
    Count,
    Sweep,
    Watch,
}

impl Verb {
    /// How many there are.
    pub(crate) const COUNT: usize = Self::Watch as usize + 1;

    /// Whether it may take long and waits for nobody's request.
    pub(crate) const fn is_long(self) -> bool {
        matches!(self, Self::Scan | Self::Count | Self::Sweep)
    }

    /// Whether it changes nothing, so that it may be asked again when an answer was lost.
    pub(crate) const fn is_read(self) -> bool {
        matches!(
            self,
            Self::Load | Self::LoadAll | Self::List | Self::Scan | Self::Count | Self::Watch
        )
    }

    /// For the schema `cloakroom`; see `Schema::sql`.
    pub(crate) const fn sql(self) -> &'static str {
        match self {
            Self::Load => LOAD,
            Self::LoadAll => LOAD_ALL,
            Self::Confirm => "SELECT cloakroom.confirm($1, $2)",
            Self::Create => {
                "SELECT (r.answer).*, r.ids FROM cloakroom.create_session($1, $2, $3, $4, $5, $6, \
                 $7, $8, $9, $10, $11, $12, $13, $14, $15) r"
            }
            Self::Commit => {
                "SELECT * FROM cloakroom.commit_session($1, $2, $3, $4, $5, $6, $7, $8)"
            }
            Self::Touch => "SELECT * FROM cloakroom.touch_sessions($1, $2, $3, $4)",
            Self::Replace => {
                "SELECT (r.answer).*, r.ids FROM cloakroom.replace_session($1, $2, $3, $4, $5, $6, \
                 $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) r"
            }
            Self::Renew => {
                "SELECT * FROM cloakroom.renew_session($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
                 $11, $12, $13, $14, $15)"
            }
            Self::Resume => {
                "SELECT * FROM cloakroom.resume_session($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
                 $11, $12, $13, $14, $15)"
            }
            Self::End => "SELECT * FROM cloakroom.end_session($1, $2, $3, $4, $5)",
            Self::EndAll => "SELECT cloakroom.end_all($1, $2, $3, $4, $5)",
            Self::Amend => "SELECT cloakroom.amend($1, $2, $3, $4, $5)",
            Self::List => LIST,
            Self::Scan => SCAN,
            Self::Count => COUNT,
            Self::Sweep => "SELECT removed, outcome FROM cloakroom.sweep($1, $2, $3)",
            Self::Watch => WATCH,
        }
    }
}

/// One statement, so that all tables are seen at one instant: a renewal between two would move the
/// session from one to the other. `OFFSET 0` lets each table be asked by its key alone, whatever a
/// plan that was made while the tables were small would prefer.
const LOAD: &str = "
SELECT 'found', @session@, @nothing_else@ FROM cloakroom.sessions s WHERE s.key = $1
UNION ALL
SELECT 'found', @session@, @forwarder@, NULL, NULL, NULL
    FROM (SELECT * FROM cloakroom.forwarders WHERE key = $1 OFFSET 0) f
    CROSS JOIN LATERAL (SELECT * FROM cloakroom.sessions WHERE id = f.session OFFSET 0) s
UNION ALL
SELECT 'gone', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, t.at, t.reason, t.by
    FROM cloakroom.tombstones t WHERE t.key = $1";

const LOAD_ALL: &str = "
SELECT 'found', @session@, @nothing_else@, k.n
    FROM unnest($1::bytea[]) WITH ORDINALITY AS k (key, n)
    CROSS JOIN LATERAL (SELECT * FROM cloakroom.sessions WHERE key = k.key OFFSET 0) s
UNION ALL
SELECT 'found', @session@, @forwarder@, NULL, NULL, NULL, k.n
    FROM unnest($1::bytea[]) WITH ORDINALITY AS k (key, n)
    CROSS JOIN LATERAL (SELECT * FROM cloakroom.forwarders WHERE key = k.key OFFSET 0) f
    CROSS JOIN LATERAL (SELECT * FROM cloakroom.sessions WHERE id = f.session OFFSET 0) s
UNION ALL
SELECT 'gone', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, t.at, t.reason, t.by, k.n
    FROM unnest($1::bytea[]) WITH ORDINALITY AS k (key, n)
    CROSS JOIN LATERAL (SELECT * FROM cloakroom.tombstones WHERE key = k.key OFFSET 0) t";

const LIST: &str = "
SELECT 'found', @session@ FROM (
        SELECT * FROM cloakroom.sessions WHERE user_id = $1 AND id > $2 AND @stays@ > $3 OFFSET 0
    ) s ORDER BY s.id LIMIT $4";

const SCAN: &str = "
SELECT 'found', @session@ FROM cloakroom.sessions s
    WHERE s.id > $1 AND @stays@ > $2 ORDER BY s.id LIMIT $3";

/// Whose sweep_at lies ahead is there, which needs no second look.
const COUNT: &str = "
SELECT count(*), count(user_id) FROM cloakroom.sessions WHERE sweep_at > $1 OR @stays@ > $1";

/// The end of the feed and whether the place is one of it, with each notice that follows. A place
/// that is none is before all.
const WATCH: &str = "
SELECT e.place, e.stamp, e.known, n.place, n.stamp, n.at, n.session, n.reason, n.user_id
    FROM (
        SELECT place, stamp,
            EXISTS (SELECT FROM cloakroom.feed WHERE place = $1 AND stamp = $2) AS known
        FROM cloakroom.feed ORDER BY place DESC LIMIT 1
    ) e LEFT JOIN LATERAL (
        SELECT * FROM cloakroom.feed
        WHERE at IS NOT NULL AND place > CASE WHEN e.known THEN $1 ELSE 0 END
        ORDER BY place LIMIT $3
    ) n ON true ORDER BY n.place";
