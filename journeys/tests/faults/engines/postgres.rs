//! One PostgreSQL server.

use super::{BROKEN, Engine, NOTHING, disturb, kill_processes, known};
use crate::Fault;
use crate::load::Service;
use crate::returns::Absence;
use cloakroom_journeys::Failure;
use cloakroom_journeys::postgres::Postgres;
use cloakroom_journeys::program;
use cloakroom_journeys::proxy::{Network, Proxy};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How many connections the server gives, to all.
const CONNECTIONS: usize = 40;

struct Server {
    proxy: Proxy,
    postgres: Postgres,
}

impl Engine for Server {
    fn url(&self) -> String {
        self.postgres.url_at(self.proxy.address())
    }

    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }
}

pub(crate) fn postgres() -> Result<Box<dyn Engine>, Failure> {
    let postgres = Postgres::start(&[&format!("max_connections={CONNECTIONS}")])?;
    let proxy = Proxy::start(postgres.address())?;
    Ok(Box::new(Server { proxy, postgres }))
}

pub(crate) const POSTGRES: &[Fault] = &[
    Fault { name: "processes of the service are killed", declared: NOTHING, run: kill_processes },
    Fault { name: "the server is killed and started again", declared: NOTHING, run: killed },
    Fault { name: "the server is stopped and started again", declared: NOTHING, run: restarted },
    Fault { name: "the network is cut", declared: NOTHING, run: cut },
    Fault { name: "connections stay open and nothing arrives", declared: NOTHING, run: half_open },
    Fault { name: "answers arrive as noise", declared: NOTHING, run: noise },
    Fault { name: "others take every connection", declared: NOTHING, run: no_connections },
];

/// Too short for anybody to count it as away, long enough, and without an answer instead of with a
/// refusal.
pub(crate) const POSTGRES_AWAY: &[Absence] = &[
    Absence {
        name: "stopped for 0.3 s",
        lasts: Duration::from_millis(300),
        is_noticed: false,
        go: |engine| known::<Server>(engine)?.postgres.stop(),
        come_back: |engine| known::<Server>(engine)?.postgres.run(),
    },
    Absence {
        name: "stopped for 2 s",
        lasts: Duration::from_secs(2),
        is_noticed: true,
        go: |engine| known::<Server>(engine)?.postgres.stop(),
        come_back: |engine| known::<Server>(engine)?.postgres.run(),
    },
    Absence {
        name: "silent for 4 s",
        lasts: Duration::from_secs(4),
        is_noticed: true,
        go: |engine| {
            known::<Server>(engine)?.proxy.set(Network::HalfOpen);
            Ok(())
        },
        come_back: |engine| {
            known::<Server>(engine)?.proxy.set(Network::Healthy);
            Ok(())
        },
    },
];

fn killed(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    let postgres = &mut known::<Server>(engine)?.postgres;
    postgres.kill_hard()?;
    std::thread::sleep(BROKEN);
    postgres.run()
}

fn restarted(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    let postgres = &mut known::<Server>(engine)?.postgres;
    postgres.stop()?;
    std::thread::sleep(BROKEN);
    postgres.run()
}

fn cut(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    disturb(&known::<Server>(engine)?.proxy, Network::Cut)
}

fn half_open(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    disturb(&known::<Server>(engine)?.proxy, Network::HalfOpen)
}

fn noise(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    disturb(&known::<Server>(engine)?.proxy, Network::Garbage(7))
}

/// Our connections are closed, and others are quicker to have new ones.
fn no_connections(engine: &mut dyn Engine, _: &mut Service) -> Result<(), Failure> {
    let Server { postgres, proxy } = known::<Server>(engine)?;
    proxy.set(Network::Cut);
    let sleep = format!("select pg_sleep({})", BROKEN.as_secs());
    let other = || {
        let mut psql = Command::new(program::find("psql")?);
        psql.args(["-X", "-q", "-c", &sleep]).arg(postgres.url());
        let psql = psql.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        psql.map_err(|error| Failure::new(format!("psql: {error}")))
    };
    let others = (0..CONNECTIONS).map(|_| other()).collect::<Result<Vec<_>, _>>()?;
    proxy.set(Network::Healthy);
    for mut other in others {
        // Those that found no place have ended before.
        other.wait().map_err(|error| Failure::new(format!("psql: {error}")))?;
    }
    Ok(())
}
