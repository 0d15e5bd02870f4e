//! What a mesh host is answered with.

/// What the hosts of a ServiceEntry without literal addresses are answered with (`serviceEntries.answer`, annotation
/// `meshdns.io/answer`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AnswerMode {
    /// Their automatic address.
    #[default]
    Vip,
    /// The addresses of their endpoints.
    Endpoints,
    /// Nothing: the name is left to others.
    Decline,
}

impl AnswerMode {
    /// All of them.
    pub const ALL: [AnswerMode; 3] = [AnswerMode::Vip, AnswerMode::Endpoints, AnswerMode::Decline];

    /// The name as settings and annotations write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            AnswerMode::Vip => "vip",
            AnswerMode::Endpoints => "endpoints",
            AnswerMode::Decline => "decline",
        }
    }
}
