using System;
using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Postern.Proxy.Http;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>The real HTTP engine (Kestrel, the forwarder, gate, filters), started once for all tests of a class. Listens nowhere.</summary>
public sealed class HttpEngineFixture : IAsyncLifetime, ILoggerProvider, ILogger
{
    private readonly ILoggerFactory loggers;

    public HttpEngineFixture()
    {
        loggers = LoggerFactory.Create(builder => builder.AddProvider(this).SetMinimumLevel(LogLevel.Error));
        Engine = new HttpEngine(loggers);
    }

    /// <summary>What was logged as an error. Nothing a client or an upstream does may be worth one.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    internal HttpEngine Engine { get; }

    public Task InitializeAsync() => Engine.StartAsync(CancellationToken.None);

    public async Task DisposeAsync()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await Engine.StopAsync(deadline.Token);
        await Engine.DisposeAsync();
        loggers.Dispose();
    }

    ILogger ILoggerProvider.CreateLogger(string categoryName) => this;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Errors.Enqueue(formatter(state, exception) + " " + exception);

    void IDisposable.Dispose()
    {
    }
}
