//! `derive(DeepCopy)`.
use crate::custom_resource::root;
use crate::keys::{Key, Known};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, GenericParam, Member, Path, Result};

const KEYS: &[Known] = &[("crate", "crate = \"pintle\"")];

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let mut at: Option<Path> = None;
    for attribute in input.attrs.iter().filter(|a| a.path().is_ident("deep_copy")) {
        attribute.parse_nested_meta(|meta| {
            let key = Key::of(&meta, KEYS, "`#[deep_copy(...)]`")?;
            let path = key.text()?;
            let parsed = syn::parse_str(&path.value).map_err(|_| {
                Error::new(path.span, "`crate` must be the path of a crate: crate = \"pintle\"")
            })?;
            key.once(&mut at, parsed)
        })?;
    }
    let root = root(at.as_ref());
    let name = &input.ident;
    let copy = match &input.data {
        Data::Struct(s) => arm(&root, quote!(#name), &s.fields),
        Data::Enum(e) => {
            let arms: TokenStream = e
                .variants
                .iter()
                .map(|v| {
                    let variant = &v.ident;
                    arm(&root, quote!(#name::#variant), &v.fields)
                })
                .collect();
            arms
        }
        Data::Union(_) => {
            return Err(Error::new(
                name.span(),
                format!(
                    "nobody knows which field of the union `{name}` is there: implement `DeepCopy` by hand"
                ),
            ));
        }
    };
    let mut generics = input.generics.clone();
    for parameter in &mut generics.params {
        if let GenericParam::Type(t) = parameter {
            t.bounds.push(syn::parse_quote!(#root::DeepCopy));
        }
    }
    let (params, args, bounds) = generics.split_for_impl();
    let body = match &input.data {
        Data::Enum(e) if e.variants.is_empty() => quote!(match *self {}),
        _ => quote!(match self { #copy }),
    };
    Ok(quote! {
        impl #params #root::DeepCopy for #name #args #bounds {
            fn deep_copy(&self) -> Self {
                #body
            }
        }
    })
}

/// A match arm that takes the fields apart and puts copies together.
fn arm(root: &TokenStream, path: TokenStream, fields: &Fields) -> TokenStream {
    let members: Vec<Member> = fields.members().collect();
    let names: Vec<_> = (0..members.len()).map(|i| format_ident!("__f{i}")).collect();
    quote! {
        #path { #(#members: #names),* } => #path { #(#members: #root::DeepCopy::deep_copy(#names)),* },
    }
}
