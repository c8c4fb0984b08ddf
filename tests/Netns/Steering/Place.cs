namespace Postern.Tests.Netns.Steering;

/// <summary>Where a server is.</summary>
public enum Place
{
    /// <summary>At the node.</summary>
    Pod,

    /// <summary>Behind a gateway.</summary>
    Elsewhere,
}
