namespace Postern.Proxy.Listeners;

/// <summary>What a review of one connection came to.</summary>
internal enum ReviewResult
{
    /// <summary>Neither the rules nor the identities that concern it are others than before: nothing was judged.</summary>
    Unchanged,

    /// <summary>Judged again, and still allowed.</summary>
    Allowed,

    /// <summary>Judged again, not allowed, and closed.</summary>
    Closed,

    /// <summary>Not allowed, but closed already by somebody else.</summary>
    Gone,
}
