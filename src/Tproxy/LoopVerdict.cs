namespace Postern.Tproxy;

/// <summary>What <see cref="LoopGuard"/> found.</summary>
public enum LoopVerdict
{
    /// <summary>No loop.</summary>
    Clear = 0,

    /// <summary>The client connected to the listener itself instead of being steered there: there is no original destination to forward to.</summary>
    AddressedListener = 1,

    /// <summary>The upstream destination is a listener of this process.</summary>
    ConnectsToItself = 2,
}
