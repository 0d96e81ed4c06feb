//! How the API describes itself. A route is added together with what its handler's signature does not say
//! ([`About`]); what a handler takes and answers is read off the signature, since each extractor and each answer
//! says what it is ([`Describe`]). So the document cannot have another list of routes, or other payloads, than the code.
//!
//! - `operation`: one method of one route.
//! - `refusals`: the answers to what is refused, from the one table of errors.
//! - `document`: the whole, as OpenAPI 3.1.
//! - `serving`: the document and its page over HTTP.

mod document;
mod operation;
mod refusals;
mod serving;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, patch, post, put};

use crate::RestState;
use crate::errors::Refusal;

pub(crate) use document::TOKEN;
pub use document::openapi;
pub(crate) use operation::{About, Operation};
pub(crate) use serving::routes as documents;

/// A part of a handler's signature, as it shows in the document.
pub(crate) trait Describe {
    /// Adds what this part means for clients.
    fn describe(operation: &mut Operation<'_>);
}

/// A handler whose whole signature can be described.
pub(crate) trait Described<Arguments> {
    fn describe(operation: &mut Operation<'_>);
}

macro_rules! described {
    ($($argument:ident),*) => {
        impl<Function, Future, Answer, $($argument),*> Described<($($argument,)*)> for Function
        where
            Function: FnOnce($($argument),*) -> Future,
            Future: std::future::Future<Output = Answer>,
            Answer: Describe,
            $($argument: Describe),*
        {
            fn describe(operation: &mut Operation<'_>) {
                $($argument::describe(operation);)*
                Answer::describe(operation);
            }
        }
    };
}

described!();
described!(A);
described!(A, B);
described!(A, B, C);
described!(A, B, C, D);
described!(A, B, C, D, E);

/// What clients know nothing of, or is described where the route is.
macro_rules! silent {
    ($($part:ty),*) => {
        $(impl Describe for $part {
            fn describe(_: &mut Operation<'_>) {}
        })*
    };
}

silent!(State<Arc<RestState>>, Method, HeaderMap, Request, Response);

impl<T: Describe> Describe for Result<T, Refusal> {
    fn describe(operation: &mut Operation<'_>) {
        T::describe(operation);
    }
}

/// Routes, with what describes each.
pub(crate) struct Routes {
    router: Router<Arc<RestState>>,
    described: Vec<DescribedRoute>,
    tag: &'static str,
}

struct DescribedRoute {
    method: &'static str,
    path: &'static str,
    tag: &'static str,
    about: About,
    describe: fn(&mut Operation<'_>),
    for_keys: bool,
}

/// Declares a method of [`Routes`] for each method of HTTP.
macro_rules! methods {
    ($($method:ident),*) => {
        $(pub(crate) fn $method<T: 'static, Arguments, H>(self, path: &'static str, handler: H, about: About) -> Self
        where
            H: Handler<T, Arc<RestState>> + Described<Arguments>,
        {
            self.add(stringify!($method), path, $method(handler), about, H::describe)
        })*
    };
}

impl Routes {
    /// No routes yet, which will be listed under this heading.
    pub(crate) fn under(tag: &'static str) -> Self {
        Self { router: Router::new(), described: Vec::new(), tag }
    }

    methods!(get, post, put, patch, delete);

    fn add(
        mut self,
        method: &'static str,
        path: &'static str,
        handler: MethodRouter<Arc<RestState>>,
        about: About,
        describe: fn(&mut Operation<'_>),
    ) -> Self {
        self.described.push(DescribedRoute { method, path, tag: self.tag, about, describe, for_keys: false });
        Self { router: self.router.route(path, handler), ..self }
    }

    /// The same, for those who have a key.
    pub(crate) fn for_keys(mut self) -> Self {
        self.described.iter_mut().for_each(|route| route.for_keys = true);
        self
    }

    /// These and those.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.described.extend(other.described);
        Self { router: self.router.merge(other.router), ..self }
    }

    /// What carries them out.
    pub(crate) fn into_router(self) -> Router<Arc<RestState>> {
        self.router
    }
}
