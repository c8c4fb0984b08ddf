using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Postern.Filters;
using Postern.Policy.Config;
using Postern.Proxy.Errors;
using Postern.Proxy.Http;
using Postern.Proxy.Listeners;
using Postern.Proxy.Stats;
using Postern.Proxy.Tls;
using Postern.Proxy.Transport;
using Postern.Proxy.Upstream;
using Postern.Tests.Proxy.Discovery;
using Postern.Tests.Proxy.InMemory;
using Postern.Xds.Config;

namespace Postern.Tests.Proxy.Tls;

/// <summary>
/// The proxy between a client and an origin on loopback, with policy and secrets from a played control plane. Everybody is identity 7; the pod is 127.0.0.1, ingress.
/// </summary>
internal sealed class TlsRig : IAsyncDisposable, IUpstreamConnector
{
    public const string Name = "server.test";
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly UpstreamConnector real = new();
    private readonly HttpEngine engine = new(NullLoggerFactory.Instance);
    private readonly ListenerManager manager;
    private readonly Socket origin;
    private readonly Admission admission = new(1000);

    private TlsRig(IPAddress address)
    {
        origin = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        origin.Bind(new IPEndPoint(address, 0));
        origin.Listen();
        manager = new ListenerManager(new ConnectionPipeline(engine, this, NullLogger.Instance), real, admission, TimeSpan.Zero, NullLogger.Instance, Stats);
        Discovery = new DiscoveryRig(host: manager, records: Records, stats: Stats);
    }

    public TestAuthority Authority { get; } = new();

    public RecordList Records { get; } = new();

    public StatsRegistry Stats { get; } = new();

    public DiscoveryRig Discovery { get; }

    /// <summary>Connections that the proxy asked for.</summary>
    public int Connects { get; private set; }

    public EndPoint Endpoint => manager.Listening.Single().Address;

    /// <summary>Inline PEM of a certificate of the authority, as a rule carries it.</summary>
    public TlsContextConfig Terminate(Leaf? leaf = null, string trusted = "", params string[] alpn)
    {
        var own = Authority.Issue(leaf ?? Leaf.Host(Name));
        return new TlsContextConfig(trusted, own.CertificateChain.ToStringUtf8(), own.PrivateKey.ToStringUtf8(), [], "", "", alpn.ToEquatableList());
    }

    /// <summary>Trusts the authority.</summary>
    public TlsContextConfig Originate(params string[] names) => new(Authority.Pem.ToStringUtf8(), "", "", names.ToEquatableList(), "", "", []);

    /// <summary>A context that names a certificate by SDS.</summary>
    public static TlsContextConfig Named(string secret) => new("", "", "", [], "", secret, []);

    /// <summary>Starts with these rules for any port, and this chain and cluster; without rules there is no policy yet, and the client is identity 1.</summary>
    public static async Task<TlsRig> StartAsync(
        Func<TlsRig, PortRuleConfig>? rule, bool http = false, Func<FilterChainConfig, FilterChainConfig>? chain = null, Func<ClusterConfig, ClusterConfig>? cluster = null,
        Func<ListenerConfig, ListenerConfig>? listener = null, IPAddress? address = null, Func<HttpConnectionManagerConfig, HttpConnectionManagerConfig>? manager = null)
    {
        address ??= IPAddress.Loopback;
        var rig = new TlsRig(address);
        var port = ((IPEndPoint)rig.origin.LocalEndPoint!).Port;
        var (_, config) = Make.Fixed("up", port);
        rig.Discovery.Plane.Send("CDS", ("up", (cluster ?? (c => c with { TlsByPolicy = true }))((ClusterConfig)config with { Endpoints = [new IPEndPoint(address, port)] })));
        NetworkFilterConfig last = http
            ? (manager ?? (m => m))(new HttpConnectionManagerConfig
            {
                StatPrefix = "h",
                HttpFilters = [new L7PolicyConfig("", ""), new RouterConfig()],
                RouteConfig = new RouteConfig("r", [new VirtualHostConfig("v", ["*"], [new RouteEntryConfig("", StringMatchKind.Prefix, "/", [], false, "up", null, null)])]),
            })
            : new TcpProxyConfig("t", "up", null);
        var made = new FilterChainConfig("only", null, [new CiliumNetworkConfig(""), last]);
        var problems = rig.Discovery.Plane.Send("LDS", ("a", (listener ?? (l => l))(new ListenerConfig
        {
            Name = "a",
            Addresses = [new IPEndPoint(address, 0)],
            ListenerFiltersTimeout = TimeSpan.FromMilliseconds(300),
            ContinueOnListenerFiltersTimeout = true,
            ListenerFilters = [new TlsInspectorConfig(65536), new BpfMetadataConfig { IsIngress = true, PolicySource = Make.Plane }],
            FilterChains = [(chain ?? (c => c with { TlsByPolicy = true }))(made)],
        })));
        Assert.Empty(problems);
        rig.Discovery.Plane.Send("NPHDS", Make.Hosts(rule is null ? 1u : 7u, address.ToString()));
        if (rule is not null)
        {
            Assert.Empty(rig.Send("1", rule(rig)));
        }
        return rig;
    }

    /// <summary>Sends policy anew.</summary>
    public IReadOnlyList<Postern.Xds.Discovery.ResourceProblem> Send(string version, params PortRuleConfig[] rules) => Discovery.Plane.Find("NPDS").Send(
        version, ("1", new NetworkPolicyConfig("1", 1, ["127.0.0.1"], [new PortNetworkPolicyConfig(0, 0, PolicyProtocol.Tcp, rules.ToEquatableList())], [])));

    public async Task<NetworkStream> DialAsync()
    {
        var client = new Socket(Endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(Endpoint, Deadline());
        return new NetworkStream(client, ownsSocket: true);
    }

    /// <summary>A client that trusts the authority.</summary>
    public async Task<SslStream> DialTlsAsync(Func<SslClientAuthenticationOptions, SslClientAuthenticationOptions>? change = null, string name = Name)
    {
        var stream = new SecureStream(await DialAsync());
        var options = new SslClientAuthenticationOptions { TargetHost = name, CertificateChainPolicy = Trust(), EnabledSslProtocols = SslProtocols.Tls13 };
        try
        {
            await stream.AuthenticateAsClientAsync(change?.Invoke(options) ?? options, Deadline());
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
        return stream;
    }

    public async Task<NetworkStream> AcceptAsync() => new(await origin.AcceptAsync(Deadline()), ownsSocket: true);

    /// <summary>The origin's side of TLS, with a certificate of the authority.</summary>
    public async Task<SslStream> AcceptTlsAsync(Leaf? leaf = null, TestAuthority? authority = null, Func<SslServerAuthenticationOptions, SslServerAuthenticationOptions>? change = null)
    {
        var stream = new SecureStream(await AcceptAsync());
        var own = (authority ?? Authority).Issue(leaf ?? Leaf.Host(Name));
        var options = Handshake.ServerContext(Handshake.Server1(own)).Options;
        await stream.AuthenticateAsServerAsync(change?.Invoke(options) ?? options, Deadline());
        return stream;
    }

    /// <summary>What the proxy does after every change of policy.</summary>
    public async Task ReviewAsync()
    {
        using var review = new PolicyReview(manager.Registries, NullLogger.Instance);
        await review.WalkAsync();
    }

    public X509ChainPolicy Trust()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.ImportFromPem(Authority.Pem.ToStringUtf8());
        return policy;
    }

    public long Stat(string suffix) => Stats.Read().Single(s => s.Name.Dotted.EndsWith(suffix, StringComparison.Ordinal) && !s.Name.Dotted.StartsWith("cluster.", StringComparison.Ordinal)).Value;

    public long ClusterStat(string leaf) => Stats.Read().Single(s => s.Name.Dotted == "cluster.up." + leaf).Value;

    /// <summary>Waits for the one record with this reason.</summary>
    public async Task<SeenRecord> RecordAsync(string reason)
    {
        for (var end = Environment.TickCount64 + (long)Patience.TotalMilliseconds; Environment.TickCount64 < end; await Task.Delay(10))
        {
            if (Records.Seen.FirstOrDefault(r => r.Fields["reason"] == reason) is { } found)
            {
                return found;
            }
        }
        throw new TimeoutException($"no record with reason {reason}; there are:\n{Records}");
    }

    /// <summary>The socket below, with TLS or without.</summary>
    public static Socket SocketOf(Stream stream) => ((NetworkStream)(stream is SecureStream tls ? ((PeekedStream)Inner(tls)).Transport : stream)).Socket;

    public static CancellationToken Deadline() => new CancellationTokenSource(Patience).Token;

    /// <summary>Sends a line and waits until the other end has it.</summary>
    public static async Task PassAsync(Stream from, Stream to, string text = "hello")
    {
        await from.WriteAsync(Encoding.ASCII.GetBytes(text), Deadline());
        Assert.Equal(text, await ReadAsync(to, text.Length));
    }

    public static async Task<string> ReadAsync(Stream from, int length)
    {
        var buffer = new byte[length];
        await from.ReadExactlyAsync(buffer, Deadline());
        return Encoding.ASCII.GetString(buffer);
    }

    /// <summary>Reads to the end; "!" behind it where that is no clean one.</summary>
    public static async Task<string> ReadToEndAsync(Stream from)
    {
        var all = new MemoryStream();
        try
        {
            await from.CopyToAsync(all, Deadline());
        }
        catch (IOException)
        {
            all.WriteByte((byte)'!');
        }
        return Encoding.ASCII.GetString(all.ToArray());
    }

    public ValueTask<(TransportChannel? Channel, ProxyError Error)> ConnectAsync(
        ClusterSnapshot cluster, EndPoint destination, ConnectionMetadata? metadata, ConnectPurpose purpose, CancellationToken cancellationToken)
    {
        Connects++;
        return real.ConnectAsync(cluster, destination, metadata! with { MarksUpstream = false }, purpose, cancellationToken); // marks need a privilege
    }

    public async ValueTask DisposeAsync()
    {
        Discovery.Dispose();
        manager.DrainAll();
        manager.Dispose();
        origin.Dispose();
        Authority.Dispose();
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_InnerStream")]
    private static extern Stream Inner(AuthenticatedStream stream);
}
