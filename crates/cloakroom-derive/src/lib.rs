//! The `SessionData` derive of cloakroom. It is documented at `cloakroom::SessionData`.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Code;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Error, Fields, LitStr, Type, parse_macro_input};

/// Derives `SessionData` for a struct with named fields that has a `Default`.
///
/// Attributes of a field: `#[data(on_login = keep)]`, `#[data(on_logout = keep)]`,
/// `#[data(from = OldType)]` and `#[data(rename = "name")]`.
#[proc_macro_derive(SessionData, attributes(data))]
pub fn derive_session_data(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// What the attributes of one field say.
struct Member<'a> {
    field: &'a syn::Field,
    name: String,
    from: Option<Type>,
    on_login: bool,
    on_logout: bool,
}

fn expand(input: &DeriveInput) -> Result<Code, Error> {
    let members = members(input)?;
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let on_login = names(&members, |member| member.on_login);
    let on_logout = names(&members, |member| member.on_logout);
    let decode = members.iter().map(decode);
    let diff = members.iter().map(diff);
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::cloakroom::SessionData for #name #type_generics #where_clause {
            const ON_LOGIN: &'static [::cloakroom::store::Field] = &[#(#on_login),*];
            const ON_LOGOUT: &'static [::cloakroom::store::Field] = &[#(#on_logout),*];

            fn decode(fields: &::cloakroom::store::Fields, misfit: &mut dyn FnMut(&str)) -> Self {
                let mut data = <Self as ::core::default::Default>::default();
                #(#decode)*
                data
            }

            fn diff(
                &self,
                fields: &::cloakroom::store::Fields,
                ops: &mut ::cloakroom::store::Ops,
            ) -> ::core::result::Result<(), ::cloakroom::store::StoreError> {
                let before = ::core::cell::LazyCell::new(|| {
                    <Self as ::cloakroom::SessionData>::decode(fields, &mut |_| {})
                });
                #(#diff)*
                ::core::result::Result::Ok(())
            }
        }
    })
}

fn decode(member: &Member<'_>) -> Code {
    let (name, field) = (&member.name, &member.field.ident);
    let read = match &member.from {
        Some(old) => quote!(read_field_or_from::<_, #old>),
        None => quote!(read_field),
    };
    quote_spanned! { member.field.span() =>
        ::cloakroom::data::#read(fields, #name, &mut data.#field, misfit);
    }
}

fn diff(member: &Member<'_>) -> Code {
    let (name, field) = (&member.name, &member.field.ident);
    quote_spanned! { member.field.span() =>
        ::cloakroom::data::write_field(
            const { ::cloakroom::store::Field::from_static(#name) },
            &self.#field,
            fields,
            || &before.#field,
            ops,
        )?;
    }
}

fn names<'a>(
    members: &'a [Member<'_>],
    wanted: impl Fn(&Member<'_>) -> bool + 'a,
) -> impl Iterator<Item = Code> + 'a {
    members.iter().filter(move |member| wanted(member)).map(|member| {
        let name = &member.name;
        quote!(::cloakroom::store::Field::from_static(#name))
    })
}

fn members(input: &DeriveInput) -> Result<Vec<Member<'_>>, Error> {
    let refused =
        || Error::new(input.span(), "SessionData is derived for structs with named fields");
    let Data::Struct(data) = &input.data else { return Err(refused()) };
    let Fields::Named(fields) = &data.fields else { return Err(refused()) };
    let members: Vec<_> = fields.named.iter().map(member).collect::<Result<_, _>>()?;
    let mut seen = std::collections::BTreeSet::new();
    match members.iter().find(|member| !seen.insert(member.name.clone())) {
        Some(twin) => Err(Error::new(twin.field.span(), "two fields have this name")),
        None => Ok(members),
    }
}

fn member(field: &syn::Field) -> Result<Member<'_>, Error> {
    let ident = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    let name = ident.trim_start_matches("r#").to_owned();
    let mut member = Member { field, name, from: None, on_login: false, on_logout: false };
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("data")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("on_login") {
                member.on_login = keep(&meta)?;
            } else if meta.path.is_ident("on_logout") {
                member.on_logout = keep(&meta)?;
            } else if meta.path.is_ident("from") {
                member.from = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("rename") {
                member.name = renamed(&meta.value()?.parse()?)?;
            } else {
                return Err(meta.error(
                    "expected `on_login = keep`, `on_logout = keep`, `from = Type` or \
                     `rename = \"name\"`",
                ));
            }
            Ok(())
        })?;
    }
    Ok(member)
}

fn keep(meta: &syn::meta::ParseNestedMeta<'_>) -> Result<bool, Error> {
    let word: syn::Ident = meta.value()?.parse()?;
    if word == "keep" {
        Ok(true)
    } else {
        Err(Error::new(word.span(), "expected `keep`; what is not kept starts anew"))
    }
}

fn renamed(name: &LitStr) -> Result<String, Error> {
    if name.value().starts_with('@') {
        return Err(Error::new(name.span(), "names that begin with @ are cloakroom's own"));
    }
    Ok(name.value())
}
