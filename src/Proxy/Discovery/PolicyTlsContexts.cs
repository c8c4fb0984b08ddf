using System;
using System.Collections.Generic;
using Postern.Policy;
using Postern.Policy.Config;
using Postern.Proxy.Stats;
using Postern.Proxy.Tls;
using Postern.Xds;
using Postern.Xds.Config;

namespace Postern.Proxy.Discovery;

/// <summary>
/// The TLS contexts that rules carry, compiled once by content, with their secrets from the source of the policies (or from the bootstrap). Changed under the
/// gate, read without a lock. A context that no rule has any more is let go; one that stays keeps its secrets, also across streams.
/// </summary>
internal sealed class PolicyTlsContexts(SecretCache secrets, ChangeGate gate, Counter missing) : IPolicyTls
{
    private ConfigSourceConfig? source;
    private volatile Dictionary<TlsContextConfig, HeldTls<TlsServerContext>> servers = [];
    private volatile Dictionary<TlsContextConfig, HeldTls<TlsClientContext>> clients = [];

    public Counter Missing => missing;

    public TlsContextSlot<TlsServerContext>? FindServer(TlsContextConfig context) => servers.GetValueOrDefault(context)?.Slot;

    public TlsContextSlot<TlsClientContext>? FindClient(TlsContextConfig context) => clients.GetValueOrDefault(context)?.Slot;

    /// <summary>Whether what stands inline in these contexts can be used; those that are held have been found good before.</summary>
    /// <exception cref="PolicyConfigException">A context cannot.</exception>
    public void Check(IReadOnlyCollection<(TlsSide Side, TlsContextConfig Context)> contexts)
    {
        foreach (var (side, context) in contexts)
        {
            if (side == TlsSide.Downstream && !servers.ContainsKey(context))
            {
                PolicyTls.ToDownstream(context, Reference);
            }
            else if (side == TlsSide.Upstream && !clients.ContainsKey(context))
            {
                PolicyTls.ToUpstream(context, Reference);
            }
        }
    }

    /// <summary>Holds exactly these, their secrets from there. Before rules that have them are in force.</summary>
    /// <returns>Lets go of those that are no longer named; to be called once no rule in force has them.</returns>
    public Action Use(ConfigSourceConfig? from, IReadOnlyCollection<(TlsSide Side, TlsContextConfig Context)> contexts)
    {
        lock (gate.Lock)
        {
            var keep = from == source;
            source = from;
            var nextServers = new Dictionary<TlsContextConfig, HeldTls<TlsServerContext>>();
            var nextClients = new Dictionary<TlsContextConfig, HeldTls<TlsClientContext>>();
            foreach (var (side, context) in contexts)
            {
                if (side == TlsSide.Downstream)
                {
                    nextServers[context] = keep && servers.TryGetValue(context, out var known)
                        ? known : HeldTls.Server(secrets, PolicyTls.ToDownstream(context, Reference), gate.Time);
                }
                else
                {
                    nextClients[context] = keep && clients.TryGetValue(context, out var known)
                        ? known : HeldTls.Client(secrets, PolicyTls.ToUpstream(context, Reference), gate.Time);
                }
            }
            var (oldServers, oldClients) = (servers, clients);
            servers = With(nextServers, oldServers);
            clients = With(nextClients, oldClients);
            return () => LetGo(oldServers, nextServers, oldClients, nextClients);
        }
    }

    private void LetGo(
        Dictionary<TlsContextConfig, HeldTls<TlsServerContext>> oldServers,
        Dictionary<TlsContextConfig, HeldTls<TlsServerContext>> nextServers,
        Dictionary<TlsContextConfig, HeldTls<TlsClientContext>> oldClients,
        Dictionary<TlsContextConfig, HeldTls<TlsClientContext>> nextClients)
    {
        servers = nextServers;
        clients = nextClients;
        DisposeGone(oldServers, nextServers);
        DisposeGone(oldClients, nextClients);
    }

    // The old ones stay to be found until the rules that have them are gone.
    private static Dictionary<TlsContextConfig, THeld> With<THeld>(Dictionary<TlsContextConfig, THeld> next, Dictionary<TlsContextConfig, THeld> old)
    {
        var both = new Dictionary<TlsContextConfig, THeld>(next);
        foreach (var (context, held) in old)
        {
            both.TryAdd(context, held);
        }
        return both;
    }

    private static void DisposeGone<THeld>(Dictionary<TlsContextConfig, THeld> old, Dictionary<TlsContextConfig, THeld> next)
        where THeld : class, IDisposable
    {
        foreach (var (context, held) in old)
        {
            if (!ReferenceEquals(next.GetValueOrDefault(context), held))
            {
                held.Dispose();
            }
        }
    }

    private SecretReferenceConfig Reference(string name) => new(name, secrets.IsFixed(name) ? null : source);
}
