using System;
using System.Threading;
using Postern.Xds.Config;

namespace Postern.Proxy.Tls;

/// <summary>
/// The context that is in force, swapped as a whole when a secret comes in a new version. A handshake takes <see cref="Current"/> once; connections that are
/// open keep what they began with. A version that cannot be used leaves the one before in force and says why.
/// </summary>
internal sealed class TlsContextSlot<TContext>
    where TContext : class
{
    private readonly Lock refreshing = new();
    private readonly CommonTlsConfig common;
    private readonly Func<SecretReferenceConfig, SecretConfig?> find;
    private readonly Build build;
    private TlsMaterial? material; // of the current context
    private volatile TContext? current;
    private volatile TlsProblem? problem;

    /// <param name="common">Which secrets are needed.</param>
    /// <param name="find">What is known of one now, or null.</param>
    /// <param name="build">Compiles.</param>
    public TlsContextSlot(CommonTlsConfig common, Func<SecretReferenceConfig, SecretConfig?> find, Build build)
    {
        this.common = common;
        this.find = find;
        this.build = build;
        Refresh();
    }

    /// <summary>Compiles material; null with a problem.</summary>
    internal delegate TContext? Build(TlsMaterial material, out TlsProblem? problem);

    /// <summary>For the next handshake; null while a secret has not come, or the first one was bad: then there is no TLS, and never a plain connection instead.</summary>
    public TContext? Current => current;

    /// <summary>Why there is none, or why the newest version is not in force; null when all is well.</summary>
    public TlsProblem? Problem => problem;

    /// <summary>Takes up what the secrets are now. To be called whenever one of them changed.</summary>
    public void Refresh()
    {
        lock (refreshing)
        {
            if (TlsMaterial.TryResolve(common, find, out var absent) is not { } next)
            {
                problem = absent;
                if (absent!.IsAbsence)
                {
                    material = null;
                    current = null;
                }
                return;
            }
            if (current is not null && next.Equals(material))
            {
                problem = null;
                return;
            }
            if (build(next, out var broken) is { } context)
            {
                material = next;
                current = context;
            }
            problem = broken;
        }
    }
}
