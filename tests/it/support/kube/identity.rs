//! Who asks the API server.

/// Somebody with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The bearer token.
    pub(crate) token: std::borrow::Cow<'static, str>,
}

/// May do everything.
pub(crate) const ADMIN: Identity = Identity::known("admin-token");
/// The service account `meshdns` in the namespace `meshdns`. May do what it is granted.
pub(crate) const MESHDNS: Identity = Identity::known("meshdns-token");
/// A user without any right, and there are tests that rely on it.
pub(crate) const NOBODY: Identity = Identity::known("nobody-token");

/// The token file of the API server: token, user, uid, groups.
pub(super) const TOKENS: &str = "admin-token,admin,1,system:masters\n\
    meshdns-token,system:serviceaccount:meshdns:meshdns,2,\"system:serviceaccounts,system:serviceaccounts:meshdns\"\n\
    nobody-token,nobody,3,\n";

impl Identity {
    const fn known(token: &'static str) -> Self {
        Self { token: std::borrow::Cow::Borrowed(token) }
    }

    /// Whoever has this token.
    pub(crate) fn with_token(token: impl Into<String>) -> Self {
        Self { token: std::borrow::Cow::Owned(token.into()) }
    }
}
