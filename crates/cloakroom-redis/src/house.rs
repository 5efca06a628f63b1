//! What belongs to the store as a whole: the secret of its routes, and which routes are in use.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use cloakroom_store::{Route, StoreError};
use redis::Value;

use crate::call::Call;
use crate::hub::Hub;
use crate::keys;
use crate::link::Open;

/// A copy of what the store knows of itself.
#[derive(Debug)]
pub(crate) struct House {
    secret: OnceLock<[u8; 32]>,
    /// One bit for each route, 64 in a row. A bit that is set stays set: it means *may be in use*.
    routes: Vec<AtomicU64>,
}

impl Default for House {
    fn default() -> Self {
        let routes = (0..ROUTES / 64).map(|_| AtomicU64::new(0)).collect();
        Self { secret: OnceLock::new(), routes }
    }
}

/// As many as two bytes tell apart.
const ROUTES: usize = 65_536;

impl House {
    /// The secret that leads from users to routes; known since the first connection.
    pub(crate) fn secret(&self) -> &[u8; 32] {
        const NOT_YET: &[u8; 32] = &[0; 32];
        self.secret.get().unwrap_or(NOT_YET)
    }

    /// The numbers of the routes that may be in use, from `first` on.
    pub(crate) fn routes_from(&self, first: u16) -> Vec<u16> {
        (first..=u16::MAX).filter(|number| self.has(*number)).collect()
    }

    /// Notes in the store that a route is in use, before anything is put there.
    pub(crate) async fn enter(&self, hub: &Hub, route: Route) -> Result<(), StoreError> {
        let number = keys::number_of(route);
        if self.has(number) {
            return Ok(());
        }
        let arguments = [hub.names.routes(), number.to_string(), "1".to_owned()];
        hub.ask(&Call::plain(keys::meta_slot(), "SETBIT", arguments, true)).await?;
        self.set(number);
        Ok(())
    }

    /// Looks again which routes other processes have entered.
    pub(crate) async fn look(&self, hub: &Hub) -> Result<(), StoreError> {
        let arguments = [hub.names.routes()];
        let answer = hub.ask(&Call::read(keys::meta_slot(), "GET", arguments)).await?;
        self.learn(&answer);
        Ok(())
    }

    /// Agrees with a server that keeps what belongs to the whole: its secret is ours, or ours
    /// becomes its own; and it learns the routes that it does not know of.
    pub(crate) async fn agree(&self, hub: &Hub, open: &Open) -> Result<(), StoreError> {
        let offered = self.secret.get().copied().unwrap_or_else(|| hub.dice.secret());
        let mut set = redis::cmd("SET");
        set.arg(hub.names.secret()).arg(hexadecimal(&offered)).arg("NX").arg("GET");
        let stored = open.send(&set).await.map_err(crate::fault::Fault::told)?;
        let secret = if let Value::BulkString(stored) = stored {
            from_hexadecimal(&stored)?
        } else {
            offered
        };
        if *self.secret.get_or_init(|| secret) != secret {
            return Err(StoreError::corrupt(
                "this Redis has another secret of routes than before: it is not the same store",
            ));
        }
        let mut get = redis::cmd("GET");
        get.arg(hub.names.routes());
        let theirs = open.send(&get).await.map_err(crate::fault::Fault::told)?;
        let missing = self.missing_in(&theirs);
        self.learn(&theirs);
        let set_bit = |number: u16| {
            let mut command = redis::cmd("SETBIT");
            command.arg(hub.names.routes()).arg(number).arg(1);
            command
        };
        if !missing.is_empty() {
            open.send_all(missing.into_iter().map(set_bit))
                .await
                .map_err(crate::fault::Fault::told)?;
        }
        Ok(())
    }

    fn missing_in(&self, theirs: &Value) -> Vec<u16> {
        let known = Self::default();
        known.learn(theirs);
        (0..=u16::MAX).filter(|number| self.has(*number) && !known.has(*number)).collect()
    }

    fn learn(&self, theirs: &Value) {
        let Value::BulkString(bytes) = theirs else { return };
        let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte & 0x80 >> bit != 0));
        (0..=u16::MAX).zip(bits).filter(|(_, is_set)| *is_set).for_each(|(at, _)| self.set(at));
    }

    fn has(&self, number: u16) -> bool {
        let row = self.routes.get(usize::from(number / 64));
        row.is_some_and(|row| row.load(Ordering::Relaxed) & 1 << (number % 64) != 0)
    }

    fn set(&self, number: u16) {
        if let Some(row) = self.routes.get(usize::from(number / 64)) {
            row.fetch_or(1 << (number % 64), Ordering::Relaxed);
        }
    }
}

fn hexadecimal(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hexadecimal(text: &[u8]) -> Result<[u8; 32], StoreError> {
    let broken = || StoreError::corrupt("the secret of the routes is not 64 hexadecimal digits");
    let digit =
        |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return Err(broken());
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks(2)) {
        let [high, low] = pair else { return Err(broken()) };
        *byte =
            digit(high).zip(digit(low)).map(|(high, low)| high << 4 | low).ok_or_else(broken)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_read_as_the_server_counts_bits() {
        let house = House::default();

        house.learn(&Value::BulkString(vec![0b1000_0001, 0, 0b0100_0000]));

        assert_eq!(house.routes_from(0), [0, 7, 17]);
        assert_eq!(house.routes_from(8), [17]);
        assert_eq!(house.missing_in(&Value::BulkString(vec![0b1000_0000])), [7, 17]);
    }

    #[test]
    fn a_secret_comes_back_and_a_broken_one_is_corrupt() {
        let secret: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 7).unwrap());

        assert_eq!(from_hexadecimal(hexadecimal(&secret).as_bytes()).unwrap(), secret);
        assert!(from_hexadecimal(b"12").is_err());
        assert!(from_hexadecimal(&[b'x'; 64]).is_err());
    }
}
