using System;
using System.Collections.Concurrent;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading.Channels;
using System.Threading.Tasks;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Postern.Grpc;
using Postern.Grpc.Client;
using Postern.Grpc.Server;
using Postern.Xds.Discovery;

namespace Postern.Tests.Xds.Discovery;

/// <summary>The client over gRPC on a unix socket, against a server of our own that restarts.</summary>
public sealed class GrpcTransportTests : IAsyncLifetime, IAsyncDisposable
{
    private static readonly ResourceType Npds = ResourceType.NetworkPolicy;
    private readonly string folder = Directory.CreateTempSubdirectory("postern-xds-").FullName;
    private readonly Channel<DiscoveryRequest> requests = Channel.CreateUnbounded<DiscoveryRequest>();
    private readonly ConcurrentQueue<string> log = new();
    private Channel<DiscoveryResponse> responses = Channel.CreateUnbounded<DiscoveryResponse>();
    private GrpcServer? server;
    private GrpcChannel? channel;
    private DiscoveryClient? client;

    private UnixDomainSocketEndPoint Socket => new(Path.Combine(folder, "xds.sock"));

    public async Task InitializeAsync()
    {
        await StartServerAsync();
        channel = GrpcChannel.ForAddress(new GrpcChannelOptions { EndPoint = Socket, MaxReceiveMessageBytes = 64 << 20 });
        client = new DiscoveryClient(new DiscoveryClientOptions
        {
            Node = new Node { Id = "n" },
            Decoder = new Texts(),
            Transport = _ => new GrpcDiscoveryTransport(channel.Invoker),
            Log = log.Enqueue,
            LogDebug = log.Enqueue,
            Jitter = static () => 0,
        });
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        if (!Directory.Exists(folder))
        {
            return;
        }
        await client!.DisposeAsync();
        await channel!.DisposeAsync();
        await server!.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task AckAndNack_ReachTheServer()
    {
        var sink = new RecordingSink();
        using var subscription = client!.Subscribe(Npds, ClientFixture.Sotw, [], sink);
        Assert.Equal("n", (await RequestAsync()).Node.Id);
        Send(Texts.Sotw(Npds, "1", "a", "1=x"));
        Assert.Equal(("1", "a", null), Parts(await RequestAsync()));
        Send(Texts.Sotw(Npds, "2", "b", "1=bad", "2=y"));
        var nack = await RequestAsync();
        Assert.Equal(("1", "b", 13), Parts(nack));
        Assert.Contains("'bad' of 1 is not good", nack.ErrorDetail.Message, StringComparison.Ordinal);
        Assert.Equal("1=x", sink.Text);
    }

    [Fact]
    public async Task ServerRestart_IsSurvivedWithTheVersionInForce()
    {
        var sink = new RecordingSink();
        using var subscription = client!.Subscribe(Npds, ClientFixture.Sotw, [], sink);
        await RequestAsync();
        Send(Texts.Sotw(Npds, "41", "a", "1=x", "2=x"));
        await RequestAsync();
        await server!.DisposeAsync();
        await ClientFixture.UntilAsync(() => subscription.Status.Attempts > 1, () => $"{subscription.Status}");
        Assert.Equal("1=x 2=x", sink.Text);
        responses = Channel.CreateUnbounded<DiscoveryResponse>();
        await StartServerAsync();
        Assert.Equal(("41", "", null), Parts(await RequestAsync()));
        Send(Texts.Sotw(Npds, "1", "a", "2=x", "3=x"));
        Assert.Equal(("1", "a", null), Parts(await RequestAsync()));
        Assert.Equal("2=x 3=x", sink.Text);
    }

    [Fact]
    public async Task MessageOf30MB_IsTaken()
    {
        var sink = new RecordingSink();
        using var subscription = client!.Subscribe(Npds, ClientFixture.Sotw, [], sink);
        await RequestAsync();
        var texts = Enumerable.Range(0, 30).Select(i => $"{i}={new string((char)('a' + (i % 26)), 1 << 20)}").ToArray();
        Send(Texts.Sotw(Npds, "1", "a", texts));
        Assert.Equal(("1", "a", null), Parts(await RequestAsync()));
        texts[7] = "7=short";
        Send(Texts.Sotw(Npds, "2", "b", texts));
        Assert.Equal(("2", "b", null), Parts(await RequestAsync()));
        Assert.Equal("short", sink.InForce["7"]);
        Assert.Equal(1 << 20, sink.InForce["29"].Length);
    }

    [Fact]
    public async Task MessageAboveTheBound_EndsTheStreamAndAnotherFollows()
    {
        using var subscription = client!.Subscribe(Npds, ClientFixture.Sotw, [], new RecordingSink());
        await RequestAsync();
        Send(Texts.Sotw(Npds, "1", "a", $"1={new string('x', 65 << 20)}"));
        Assert.Equal("", (await RequestAsync()).ResponseNonce);
        Assert.Contains("MaxReceiveMessageBytes", subscription.Status.LastStreamError, StringComparison.Ordinal);
    }

    private static (string, string, int?) Parts(DiscoveryRequest request) => (request.VersionInfo, request.ResponseNonce, request.ErrorDetail?.Code);

    private void Send(DiscoveryResponse response) => responses.Writer.TryWrite(response);

    private async Task<DiscoveryRequest> RequestAsync()
    {
        try
        {
            return await requests.Reader.ReadAsync().AsTask().WaitAsync(FakeControlPlane.Deadline);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException("no request; the client says: " + string.Join(" | ", log));
        }
    }

    private async Task StartServerAsync()
    {
        var method = new Method<DiscoveryRequest, DiscoveryResponse>(MethodType.DuplexStreaming, Npds.Service, Npds.StreamMethod, DiscoveryRequest.Parser, DiscoveryResponse.Parser);
        var mine = responses.Reader;
        var service = new ServiceDefinition(Npds.Service).Add(method, async (reader, writer, call) =>
        {
            var sending = SendAsync(mine, writer, call);
            while (await reader.ReadAsync(call.CancellationToken) is { } request)
            {
                requests.Writer.TryWrite(request);
            }
            await sending;
        });
        server = new GrpcServer(new GrpcServerOptions { EndPoints = [Socket], Services = [service] });
        await server.StartAsync();
    }

    private static async Task SendAsync(ChannelReader<DiscoveryResponse> from, IServerStreamWriter<DiscoveryResponse> to, ServerCallContext call)
    {
        await foreach (var response in from.ReadAllAsync(call.CancellationToken))
        {
            await to.WriteAsync(response, call.CancellationToken);
        }
    }
}
