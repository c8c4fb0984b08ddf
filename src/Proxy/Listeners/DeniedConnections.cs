namespace Postern.Proxy.Listeners;

/// <summary>What becomes of open connections that a change of policy or identities forbids.</summary>
internal enum DeniedConnections
{
    /// <summary>Reset, with a record.</summary>
    Cut,

    /// <summary>They go on, as Cilium's proxy has it; requests on them are judged all the same.</summary>
    Keep,
}
