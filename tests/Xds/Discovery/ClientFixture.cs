using System;
using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Postern.Xds.Config;
using Postern.Xds.Discovery;

namespace Postern.Tests.Xds.Discovery;

/// <summary>A client with a control plane in memory, a clock that is moved by hand and no jitter.</summary>
internal sealed class ClientFixture : IAsyncDisposable
{
    public static readonly GrpcSourceConfig Sotw = new("cp", DiscoveryVariant.StateOfTheWorld, TimeSpan.FromSeconds(15));
    public static readonly GrpcSourceConfig Delta = Sotw with { Variant = DiscoveryVariant.Delta };
    public static readonly AdsSourceConfig Ads = new(TimeSpan.FromSeconds(15));

    public ClientFixture(GrpcSourceConfig? ads = null) => Client = new DiscoveryClient(new DiscoveryClientOptions
    {
        Node = new Node { Id = "host~127.0.0.1~no-id~localdomain" },
        Decoder = Decoder,
        Transport = _ => Plane,
        AdsSource = ads ?? Sotw,
        Log = Log.Enqueue,
        LogDebug = Debug.Enqueue,
        Time = Clock,
        Jitter = static () => 1,
    });

    public FakeControlPlane Plane { get; } = new();

    public FakeClock Clock { get; } = new();

    public Texts Decoder { get; } = new();

    public ConcurrentQueue<string> Log { get; } = new();

    public ConcurrentQueue<string> Debug { get; } = new();

    public DiscoveryClient Client { get; }

    public Task<FakeStream<DiscoveryRequest, DiscoveryResponse>> SotwStreamAsync() => Plane.StreamAsync<DiscoveryRequest, DiscoveryResponse>();

    public Task<FakeStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>> DeltaStreamAsync() => Plane.StreamAsync<DeltaDiscoveryRequest, DeltaDiscoveryResponse>();

    /// <summary>Waits for something that comes by itself.</summary>
    public static async Task UntilAsync(Func<bool> condition, Func<string> state)
    {
        using var deadline = new CancellationTokenSource(FakeControlPlane.Deadline);
        while (!condition())
        {
            Assert.False(deadline.IsCancellationRequested, state());
            await Task.Yield();
        }
    }

    /// <summary>Waits until the subscription is in back-off, then lets that pass.</summary>
    public async Task PassBackoffAsync(ISubscription subscription, TimeSpan expected)
    {
        await UntilAsync(() => subscription.Status.State == "backoff" && Clock.Next() == expected, () => $"{subscription.Status} next {Clock.Next()}");
        Clock.Advance(expected);
    }

    public ValueTask DisposeAsync() => Client.DisposeAsync();
}
