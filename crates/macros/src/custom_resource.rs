//! `derive(CustomResource)`: the struct of the kind and what names it; the rest is in the crate it
//! refers to.
use crate::attributes::{self, Described};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Path, Result};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let spec = &input.ident;
    let other = match input.data {
        Data::Struct(_) => None,
        Data::Enum(_) => Some("an enum"),
        Data::Union(_) => Some("a union"),
    };
    if let Some(other) = other {
        return Err(Error::new(
            spec.span(),
            format!(
                "`CustomResource` is derived on the struct of a spec, and `{spec}` is {other}: \
                 make it a field of a struct `{spec}Spec` and derive it there"
            ),
        ));
    }
    if !input.generics.params.is_empty() {
        return Err(Error::new(
            spec.span(),
            format!("a kind has one spec, and `{spec}` has parameters: derive on a struct without"),
        ));
    }
    let described = attributes::read(input)?;
    let kind = kind(input, &described);
    let facts = facts(spec, &described);
    Ok(quote! { #kind #facts })
}

/// Where the generated code finds pintle.
pub(crate) fn root(given: Option<&Path>) -> TokenStream {
    given.map_or_else(|| quote!(::pintle), |path| quote!(#path))
}

/// The struct, its list, its constructor.
fn kind(input: &DeriveInput, d: &Described) -> TokenStream {
    let (vis, spec, name) = (&input.vis, &input.ident, &d.rust_name);
    let derive = derive_path(d);
    let list = list_name(d);
    let doc = if d.description.is_empty() {
        format!("Kind `{}` of `{}/{}`.", d.resource.kind, d.group, d.version)
    } else {
        d.description.clone()
    };
    let list_doc = format!("A list of [`{name}`].");
    let new_doc = format!("A new [`{name}`] of that name.");
    let status = d.status.as_ref().map(|status| {
        quote! {
            /// What was observed; a controller writes it. The default is an absent status.
            pub status: #status,
        }
    });
    quote! {
        #[doc = #doc]
        #[allow(unreachable_pub)]
        #[derive(
            ::std::clone::Clone, ::std::fmt::Debug, ::std::default::Default, ::std::cmp::PartialEq
        )]
        #vis struct #name {
            /// Metadata.
            pub metadata: #derive::ObjectMeta,
            /// What is wanted.
            pub spec: #spec,
            #status
        }
        #[doc = #list_doc]
        #[allow(dead_code)]
        #vis type #list = #derive::ObjectList<#name>;
        impl #name {
            #[doc = #new_doc]
            #[allow(dead_code, unreachable_pub)]
            pub fn new(name: impl ::std::convert::Into<#derive::Str>, spec: #spec) -> Self {
                let mut object = <Self as ::std::default::Default>::default();
                object.metadata.name = name.into();
                object.spec = spec;
                object
            }
        }
    }
}

fn derive_path(d: &Described) -> TokenStream {
    let root = root(d.root.as_ref());
    quote!(#root::__derive)
}

/// The list's name goes with the struct's, not with the kind's.
fn list_name(d: &Described) -> Ident {
    if d.rust_name == d.resource.kind.as_str() {
        Ident::new(&d.list_kind, d.rust_name.span())
    } else {
        format_ident!("{}List", d.rust_name)
    }
}

/// The traits.
fn facts(spec: &Ident, d: &Described) -> TokenStream {
    let (name, derive) = (&d.rust_name, derive_path(d));
    let (group, version) = (&d.group, &d.version);
    let (kind, plural) = (&d.resource.kind, &d.resource.plural);
    let scope = if d.resource.namespaced { quote!(Namespaced) } else { quote!(ClusterScoped) };
    let (status, status_of, set_status) = match &d.status {
        Some(status) => (quote!(#status), quote!(&self.status), quote!(status)),
        None => (quote!(()), quote!(&()), quote!()),
    };
    let definition = definition(d, &derive);
    quote! {
        #derive::custom_resource!(#name, #group, #version, #kind, #plural, #scope);
        impl #derive::CustomResource for #name {
            type Spec = #spec;
            type Status = #status;
            const DEFINITION: #derive::Definition = #definition;
            fn parts(&self) -> (&#derive::ObjectMeta, &#spec, &#status) {
                (&self.metadata, &self.spec, #status_of)
            }
            #[allow(unused_variables)]
            fn from_parts(metadata: #derive::ObjectMeta, spec: #spec, status: #status) -> Self {
                #name { metadata, spec, #set_status }
            }
        }
    }
}

fn definition(d: &Described, derive: &TokenStream) -> TokenStream {
    let (singular, list_kind) = (&d.resource.singular, &d.list_kind);
    let (short_names, categories) = (&d.resource.short_names, &d.resource.categories);
    let (description, served, storage) = (&d.description, d.served, d.storage);
    let annotations = d.annotations.iter().map(|(name, value)| quote!((#name, #value)));
    let deprecated = option(d.deprecated.as_ref().map(|text| quote!(#text)));
    let status = d.resource.subresources.iter().any(|s| s.plural == "status");
    let scale = option(d.scale.as_ref().map(|[spec, status, selector]| {
        quote! {
            #derive::Scale { spec_path: #spec, status_path: #status, label_selector_path: #selector }
        }
    }));
    let columns = d.columns.iter().map(|c| {
        let (name, json_path, type_) = (&c.name, &c.json_path, &c.type_);
        let (format, description, priority) = (&c.format, &c.description, c.priority);
        quote! {
            #derive::Column {
                name: #name, json_path: #json_path, type_: #type_, format: #format,
                description: #description, priority: #priority,
            }
        }
    });
    let fields = &d.selectable_fields;
    let validations = d.validations.iter().map(|[rule, message, expression, reason, path]| {
        quote! {
            #derive::Validation {
                rule: #rule, message: #message, message_expression: #expression,
                reason: #reason, field_path: #path,
            }
        }
    });
    quote! {
        #derive::Definition {
            singular: #singular,
            list_kind: #list_kind,
            short_names: &[#(#short_names),*],
            categories: &[#(#categories),*],
            description: #description,
            annotations: &[#(#annotations),*],
            served: #served,
            storage: #storage,
            deprecated: #deprecated,
            status: #status,
            scale: #scale,
            columns: &[#(#columns),*],
            selectable_fields: &[#(#fields),*],
            validations: &[#(#validations),*],
        }
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(
        || quote!(::std::option::Option::None),
        |v| quote!(::std::option::Option::Some(#v)),
    )
}
