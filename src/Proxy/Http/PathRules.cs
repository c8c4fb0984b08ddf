using Postern.Xds.Config;

namespace Postern.Proxy.Http;

/// <summary>What a connection manager wants done to paths.</summary>
/// <param name="Dots"><c>normalize_path</c>: no dot segments, no backslashes, no escapes of characters that need none.</param>
/// <param name="Slashes"><c>merge_slashes</c>: no empty segments.</param>
/// <param name="EscapedSlashes"><c>path_with_escaped_slashes_action</c>: what becomes of <c>%2F</c> and <c>%5C</c>.</param>
internal readonly record struct PathRules(bool Dots, bool Slashes, EscapedSlashesAction EscapedSlashes)
{
    /// <summary>Whether anything is asked for.</summary>
    public bool AskForAnything => Dots || Slashes || EscapedSlashes != EscapedSlashesAction.KeepUnchanged;
}

/// <summary>What <see cref="PathNormaliser"/> made of a path.</summary>
internal enum PathOutcome
{
    /// <summary>It is as it should be.</summary>
    Unchanged,

    /// <summary>The result stands in for it from now on.</summary>
    Changed,

    /// <summary>The client is sent to the result.</summary>
    Redirect,

    /// <summary>It has an escaped slash, which the listener refuses.</summary>
    EscapedSlash,

    /// <summary>It has a fragment, which never belongs on the wire.</summary>
    Fragment,

    /// <summary>Resolving its escapes would make another escape: two readers would see two paths.</summary>
    NestedEscape,

    /// <summary>A redirect to the result would lead to another host.</summary>
    RedirectElsewhere,
}
