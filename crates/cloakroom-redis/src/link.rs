//! One server: its connection, opened by one task at a time and again when it broke.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use cloakroom_store::StoreError;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};
use tokio::time::{Instant, timeout};

use crate::config::Address;
use crate::confirm::{Confirming, Wanted};
use crate::dial::Dial;
use crate::ears::{Ear, Ears};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::journal::Duty;
use crate::reply;

/// How long a failed attempt to connect is everybody's answer. Half of it is by chance, so that
/// many processes do not come back in the same instant, and all of them do within a second.
const PAUSE: Duration = Duration::from_millis(200);

/// A server, and the connection to it while there is one.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) address: Address,
    open: RwLock<Option<Open>>,
    /// Held by the one task that opens the connection.
    opening: tokio::sync::Mutex<Option<Failure>>,
    duty: Mutex<Duty>,
    ears: Arc<Ears>,
}

/// A connection to one run of a server, which was greeted and told what it may have missed.
#[derive(Clone)]
pub(crate) struct Open {
    connection: MultiplexedConnection,
    confirming: Option<Arc<Confirming>>,
    /// Whether the server tells this connection of changes.
    pub(crate) is_tracked: Arc<AtomicBool>,
    pub(crate) run: Arc<str>,
    number: u64,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Open(run {})", self.run)
    }
}

#[derive(Debug)]
struct Failure {
    error: StoreError,
    until: Instant,
}

impl Link {
    pub(crate) fn new(address: Address, duty: Duty, ears: &Arc<Ears>) -> Self {
        Self {
            address,
            open: RwLock::default(),
            opening: tokio::sync::Mutex::default(),
            duty: Mutex::new(duty),
            ears: Arc::clone(ears),
        }
    }

    /// The slots that the server answers for.
    pub(crate) fn duty(&self) -> Duty {
        self.duty.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The server answers for other slots from now on.
    pub(crate) fn set_duty(&self, duty: Duty) {
        *self.duty.lock().unwrap_or_else(PoisonError::into_inner) = duty;
    }

    /// The connection, if there is one.
    pub(crate) fn current(&self) -> Option<Open> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The connection; opens it if there is none.
    pub(crate) async fn open(&self, hub: &Hub) -> Result<Open, StoreError> {
        if let Some(open) = self.current() {
            return Ok(open);
        }
        let mut failure = self.opening.lock().await;
        if let Some(open) = self.current() {
            return Ok(open);
        }
        if let Some(Failure { error, until }) = &*failure
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        match self.dial(hub).await {
            Ok(open) => {
                *failure = None;
                *self.open.write().unwrap_or_else(PoisonError::into_inner) = Some(open.clone());
                Ok(open)
            }
            Err(error) => {
                let until = Instant::now() + PAUSE / 2 + hub.dice.share_of(PAUSE / 2);
                *failure = Some(Failure { error: error.clone(), until });
                Err(error)
            }
        }
    }

    /// The connection is of no use any more, unless it was replaced already.
    pub(crate) fn close(&self, open: &Open) {
        let mut current = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|current| current.number == open.number) {
            *current = None;
            // The next one may begin to hear later than this one ceases.
            self.ears.gap();
        }
    }

    async fn dial(&self, hub: &Hub) -> Result<Open, StoreError> {
        // Before the one that is greeted: what a run of the server missed is told to it before
        // anything is sent through either.
        let confirming = match Wanted::by(hub.dial.config()) {
            Some(wanted) => {
                let connection = hub.dial.connect(&self.address, Dial::server).await?;
                Some(Arc::new(Confirming::new(connection, wanted)))
            }
            None => None,
        };
        let ear = Ear(Arc::clone(&hub.ears));
        let connection = hub.dial.connect_hearing(&self.address, ear).await?;
        let (run, number, is_tracked) = (Arc::from(""), hub.dice.number(), Arc::default());
        let mut open = Open { connection, confirming, is_tracked, run, number };
        let greeted = timeout(hub.dial.patience(), hub.greet(&mut open, &self.duty())).await;
        greeted.unwrap_or_else(|_| {
            Err(StoreError::unavailable(format!("Redis at {} does not answer", self.address)))
        })?;
        Ok(open)
    }
}

impl Open {
    /// Sends one command and waits for its answer.
    pub(crate) async fn send(&self, command: &Cmd) -> Result<Value, Fault> {
        let answer = self.connection.clone().send_packed_command(command).await;
        match answer {
            Ok(Value::ServerError(error)) => Err(Fault::of(error.into())),
            Ok(value) => Ok(value),
            Err(error) => Err(Fault::of(error)),
        }
    }

    /// Whether the server of a cluster gives the slot away or takes it over just now. Its own line of
    /// the nodes says so: `[93->-node]` or `[93-<-node]`.
    pub(crate) async fn moves(&self, slot: u16) -> Result<bool, StoreError> {
        let mut nodes = redis::cmd("CLUSTER");
        nodes.arg("NODES");
        let nodes = self.send(&nodes).await.map_err(Fault::told)?;
        Ok(reply::text(&nodes).is_some_and(|nodes| nodes.contains(&format!("[{slot}-"))))
    }

    /// Sends one change, and waits until it is confirmed as it has to be.
    pub(crate) async fn send_confirmed(&self, command: Cmd) -> Result<Value, Fault> {
        match &self.confirming {
            Some(confirming) => confirming.send(command).await,
            None => self.send(&command).await,
        }
    }

    /// Sends several in one piece; each has its own answer.
    pub(crate) async fn send_all(
        &self,
        commands: impl IntoIterator<Item = Cmd>,
    ) -> Result<Vec<Result<Value, Fault>>, Fault> {
        send_all(&self.connection, commands).await
    }
}

/// Sends several in one piece; each has its own answer.
pub(crate) async fn send_all(
    connection: &MultiplexedConnection,
    commands: impl IntoIterator<Item = Cmd>,
) -> Result<Vec<Result<Value, Fault>>, Fault> {
    let mut pipeline = redis::Pipeline::new();
    let mut count = 0;
    for command in commands {
        pipeline.add_command(command);
        count += 1;
    }
    let mut connection = connection.clone();
    let answers = connection.send_packed_commands(&pipeline, 0, count).await;
    let each = |answer| {
        if let Value::ServerError(error) = answer {
            return Err(Fault::of(error.into()));
        }
        Ok(answer)
    };
    answers.map(|answers| answers.into_iter().map(each).collect()).map_err(Fault::of)
}
