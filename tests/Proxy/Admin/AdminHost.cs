using System;
using System.Collections.Concurrent;
using System.IO;
using System.Net.Http;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Postern.Proxy.Admin;
using Postern.Proxy.Stats;

namespace Postern.Tests.Proxy.Admin;

/// <summary>An admin server on a Unix socket of its own, with a fake behind it and an HTTP client before it.</summary>
internal sealed class AdminHost : IAsyncDisposable, ILoggerProvider, ILogger
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("postern-admin");
    private readonly ILoggerFactory loggers;
    private readonly AdminServer server;
    private readonly HttpClient client;

    private AdminHost()
    {
        Path = System.IO.Path.Combine(folder.FullName, "admin.sock");
        loggers = LoggerFactory.Create(builder => builder.AddProvider(this).SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.None));
        server = new AdminServer(new UnixDomainSocketEndPoint(Path), Target, Stats, loggers, Time);
        client = new HttpClient(new SocketsHttpHandler { ConnectCallback = async (_, token) => new NetworkStream(await ConnectAsync(token), ownsSocket: true) })
        {
            BaseAddress = new Uri("http://admin"),
            Timeout = TimeSpan.FromSeconds(20),
        };
    }

    public string Path { get; }

    public FakeTarget Target { get; } = new();

    public StatsRegistry Stats { get; } = new();

    public FixedTime Time { get; } = new();

    /// <summary>Logged lines.</summary>
    public ConcurrentQueue<string> Log { get; } = new();

    public static async Task<AdminHost> StartAsync()
    {
        var host = new AdminHost();
        await host.server.StartAsync(CancellationToken.None);
        return host;
    }

    public async Task<Socket> ConnectAsync(CancellationToken cancellationToken = default)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path), cancellationToken);
        return socket;
    }

    public Task<HttpResponseMessage> SendAsync(string method, string path, string? header = null, string value = "")
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (header is not null)
        {
            request.Headers.TryAddWithoutValidation(header, value);
        }
        return client.SendAsync(request);
    }

    /// <summary>Status and text.</summary>
    public async Task<(int Status, string Text)> AskAsync(string method, string path)
    {
        using var response = await SendAsync(method, path);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>The text of a GET that is well.</summary>
    public async Task<string> GetAsync(string path)
    {
        var (status, text) = await AskAsync("GET", path);
        Assert.True(status == 200, $"{path}: {status} {text}");
        return text;
    }

    public async Task<JsonElement> GetJsonAsync(string path) => JsonDocument.Parse(await GetAsync(path)).RootElement;

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await server.DisposeAsync();
        loggers.Dispose();
        folder.Delete(recursive: true);
    }

    ILogger ILoggerProvider.CreateLogger(string categoryName) => this;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Log.Enqueue($"{logLevel}: {formatter(state, exception)}");

    void IDisposable.Dispose()
    {
    }
}

/// <summary>A clock that stands 75 seconds after the start of the fake.</summary>
internal sealed class FixedTime : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => FakeTarget.Epoch.AddSeconds(75);
}
