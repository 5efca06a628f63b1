//! The macros that make a test of each clause.

/// Makes one test for each clause of the contract; the argument is a [`Fixture`](crate::Fixture),
/// evaluated once for each test.
///
/// The tests stand in modules named after the laws. Two stores in one file each need a module of
/// their own around the macro.
#[macro_export]
macro_rules! suite {
    ($fixture:expr $(,)?) => {
        fn fixture() -> impl $crate::Fixture {
            $fixture
        }

        $crate::every_clause!(clause_tests);
    };
}

/// Makes one test for each clause of [`durability`](crate::durability); the argument is a
/// [`Durable`](crate::Durable) fixture, evaluated once for each test.
#[macro_export]
macro_rules! durable_suite {
    ($fixture:expr $(,)?) => {
        mod durable {
            use super::*;

            fn fixture() -> impl $crate::Durable {
                $fixture
            }

            $crate::every_durable_clause!(clause_tests);
        }
    };
}

/// Makes one test for each clause of [`feed`](crate::feed), for a store with
/// [`Registry::watch`](cloakroom_store::Registry::watch); the argument is a
/// [`Fixture`](crate::Fixture), evaluated once for each test.
#[macro_export]
macro_rules! feed_suite {
    ($fixture:expr $(,)?) => {
        mod feed {
            use super::*;

            fn fixture() -> impl $crate::Fixture {
                $fixture
            }

            $crate::every_feed_clause!(clause_tests);
        }
    };
}

/// The same for a feed that outlives its process; the argument is a [`Durable`](crate::Durable)
/// fixture.
#[macro_export]
macro_rules! durable_feed_suite {
    ($fixture:expr $(,)?) => {
        mod durable_feed {
            use super::*;

            fn fixture() -> impl $crate::Durable {
                $fixture
            }

            $crate::every_durable_feed_clause!(clause_tests);
        }
    };
}

/// Makes one test for each clause of [`listening`](crate::listening), for a store with
/// [`Store::listen`](cloakroom_store::Store::listen); the argument is a
/// [`Shared`](crate::Shared) fixture, evaluated once for each test.
#[macro_export]
macro_rules! listening_suite {
    ($fixture:expr $(,)?) => {
        mod listening {
            use super::*;

            fn fixture() -> impl $crate::Shared {
                $fixture
            }

            $crate::every_listening_clause!(clause_tests);
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! clause_tests {
    ($($law:ident { $($theme:ident::$name:ident,)* })*) => {$(
        mod $law {
            $(
                #[test]
                fn $name() {
                    $crate::$theme::$name(&super::fixture());
                }
            )*
        }
    )*};
}
