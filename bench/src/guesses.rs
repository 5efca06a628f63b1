//! The tickets that a guesser could send, by class.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Random numbers from a seed (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound as u64) as usize
    }

    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }

    fn token(&mut self) -> [u8; 16] {
        (u128::from(self.roll()) << 64 | u128::from(self.roll())).to_be_bytes()
    }
}

/// What the service has minted.
pub struct Minted {
    pub live: Vec<String>,
    /// The public id of each live session.
    pub ids: Vec<[u8; 18]>,
    pub ended: Vec<String>,
}

/// One kind of guess: how its row is called, and the values of our cookie in one request.
#[derive(Clone, Copy)]
pub struct Class {
    pub name: &'static str,
    pub make: fn(&Minted, &mut Dice) -> Vec<String>,
}

/// The first two are the same, so that what they differ by is noise. The first `ALIKE` are all
/// well-formed tickets that no store knows, and must take the same time.
pub const CLASSES: [Class; 15] = [
    Class { name: "unknown", make: |_, dice| vec![unknown(dice)] },
    Class { name: "unknown again", make: |_, dice| vec![unknown(dice)] },
    Class { name: "first 4 right", make: |minted, dice| vec![partly_right(minted, dice, 4)] },
    Class { name: "first 12 right", make: |minted, dice| vec![partly_right(minted, dice, 12)] },
    Class { name: "first 20 right", make: |minted, dice| vec![partly_right(minted, dice, 20)] },
    Class { name: "one bit wrong", make: |minted, dice| vec![one_bit_wrong(minted, dice)] },
    Class { name: "half a digest", make: |minted, dice| vec![half_a_digest(minted, dice)] },
    Class { name: "a session id", make: |minted, dice| vec![session_id(minted, dice)] },
    Class { name: "ended", make: |minted, dice| vec![pick(&minted.ended, dice)] },
    Class { name: "four unknown", make: |_, dice| (0..4).map(|_| unknown(dice)).collect() },
    Class { name: "too short", make: |_, dice| vec![unknown(dice)[1..].to_owned()] },
    Class { name: "foreign letter", make: |_, dice| vec![format!("+{}", &unknown(dice)[1..])] },
    Class { name: "empty", make: |_, _| vec![String::new()] },
    Class { name: "no cookie", make: |_, _| Vec::new() },
    Class { name: "live", make: |minted, dice| vec![pick(&minted.live, dice)] },
];

pub const ALIKE: usize = 8;

fn unknown(dice: &mut Dice) -> String {
    URL_SAFE_NO_PAD.encode(dice.token())
}

fn partly_right(minted: &Minted, dice: &mut Dice, right: usize) -> String {
    let live = pick(&minted.live, dice);
    loop {
        let guess = live[..right].to_owned() + &unknown(dice)[right..];
        if guess != live {
            return guess;
        }
    }
}

fn one_bit_wrong(minted: &Minted, dice: &mut Dice) -> String {
    let mut token = decoded(&pick(&minted.live, dice));
    let bit = dice.below(8 * token.len());
    token[bit / 8] ^= 1 << (bit % 8);
    URL_SAFE_NO_PAD.encode(token)
}

/// As much of a leaked table's key as has the shape of a ticket.
fn half_a_digest(minted: &Minted, dice: &mut Dice) -> String {
    let digest = Sha256::digest(decoded(&pick(&minted.live, dice)));
    URL_SAFE_NO_PAD.encode(&digest[..16])
}

/// A public id without its route.
fn session_id(minted: &Minted, dice: &mut Dice) -> String {
    URL_SAFE_NO_PAD.encode(&minted.ids[dice.below(minted.ids.len())][2..])
}

fn pick(list: &[String], dice: &mut Dice) -> String {
    list[dice.below(list.len())].clone()
}

fn decoded(ticket: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(ticket).expect("a ticket of ours")
}
