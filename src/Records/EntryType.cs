namespace Postern.Records;

/// <summary><c>cilium.EntryType</c>, wire numbers.</summary>
public enum EntryType
{
    /// <summary>A request that was let through.</summary>
    Request = 0,

    /// <summary>A response, also one the proxy made itself.</summary>
    Response = 1,

    /// <summary>A request or connection that was refused.</summary>
    Denied = 2,
}
