//! The application's typed view of a session's fields.
//!
//! Each field is decoded on its own and is the unit of merging, so that parallel requests that
//! change different fields compose, and two versions of a service can share one store.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::{Field, Fields, Ops, StoreError};

/// What a session holds for the application. Derived for a struct of named fields with a
/// [`Default`].
///
/// A field that is missing in the store takes the default's value; one that no longer decodes goes
/// through its `#[data(from = OldType)]`, or else takes the default's with an event; fields that the
/// struct does not know survive. Only what a handler really changed is written.
///
/// | attribute | meaning |
/// |---|---|
/// | `#[data(on_login = keep)]` | the field goes along when an anonymous visitor signs in |
/// | `#[data(on_logout = keep)]` | the field goes along when the user signs out |
/// | `#[data(from = OldType)]` | text that does not decode is read as `OldType` and converted by `From` |
/// | `#[data(rename = "name")]` | the field's name in the store |
///
/// Use ordered collections: a `HashMap` serialises in another order each time, which looks like a
/// change.
///
/// ```
/// use cloakroom::SessionData;
/// use cloakroom::store::{Fields, Ops};
///
/// #[derive(Default, SessionData)]
/// struct Shop {
///     #[data(on_login = keep)]
///     cart: Vec<u32>,
///     theme: Option<String>,
/// }
///
/// let stored = Fields::from_json(r#"{"cart":[1],"unknown":true}"#).unwrap();
/// let mut shop = Shop::decode(&stored, &mut |_| {});
/// shop.cart.push(2);
///
/// let mut ops = Ops::new();
/// shop.diff(&stored, &mut ops).unwrap();
/// assert_eq!(stored.apply(&ops).unwrap().as_json(), r#"{"cart":[1,2],"unknown":true}"#);
/// ```
pub trait SessionData: Default + Send + Sync + 'static {
    /// The fields that go along at a login.
    const ON_LOGIN: &'static [Field];
    /// The fields that go along at a logout.
    const ON_LOGOUT: &'static [Field];

    /// The data that `fields` hold; `misfit` is told the name of each field that does not decode.
    fn decode(fields: &Fields, misfit: &mut dyn FnMut(&str)) -> Self;

    /// Adds the operations that turn the data in `fields` into this.
    ///
    /// # Errors
    ///
    /// Refused if a value has no JSON form.
    fn diff(&self, fields: &Fields, ops: &mut Ops) -> Result<(), StoreError>;
}

/// A session without data of the application: who is signed in, and no more.
impl SessionData for () {
    const ON_LOGIN: &'static [Field] = &[];
    const ON_LOGOUT: &'static [Field] = &[];

    fn decode(_: &Fields, _: &mut dyn FnMut(&str)) {}

    fn diff(&self, _: &Fields, _: &mut Ops) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Reads one field into `place`, which keeps its default if the field is missing or a misfit.
#[doc(hidden)]
pub fn read_field<V: DeserializeOwned>(
    fields: &Fields,
    name: &str,
    place: &mut V,
    misfit: &mut dyn FnMut(&str),
) {
    if let Some(json) = fields.get(name) {
        match serde_json::from_str(json) {
            Ok(value) => *place = value,
            Err(_) => misfit(name),
        }
    }
}

/// [`read_field`], with a second try as `Old`.
#[doc(hidden)]
pub fn read_field_or_from<V, Old>(
    fields: &Fields,
    name: &str,
    place: &mut V,
    misfit: &mut dyn FnMut(&str),
) where
    V: DeserializeOwned + From<Old>,
    Old: DeserializeOwned,
{
    if let Some(json) = fields.get(name) {
        let read = serde_json::from_str(json);
        match read.or_else(|_| serde_json::from_str::<Old>(json).map(V::from)) {
            Ok(value) => *place = value,
            Err(_) => misfit(name),
        }
    }
}

/// Adds an operation for one field if its value is another than `fields` and `before` have.
///
/// The second comparison keeps a default, or a value that was read through `from`, from being
/// written over what another version of the service put there.
#[doc(hidden)]
pub fn write_field<'a, V: Serialize + 'a>(
    field: Field,
    value: &V,
    fields: &Fields,
    before: impl FnOnce() -> &'a V,
    ops: &mut Ops,
) -> Result<(), StoreError> {
    ops.set(field.clone(), value)?;
    ops.drop_last_if_unchanged(fields, || {
        let mut was = Ops::new();
        was.set(field, before()).ok().map(|()| was)
    });
    Ok(())
}
