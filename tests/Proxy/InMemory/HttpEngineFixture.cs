using System;
using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Postern.Proxy.Http;

namespace Postern.Tests.Proxy.InMemory;

/// <summary>The real HTTP engine, one for all tests of a class. Listens nowhere.</summary>
public sealed class HttpEngineFixture : ILoggerProvider, ILogger
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

    ILogger ILoggerProvider.CreateLogger(string categoryName) => this;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Errors.Enqueue(formatter(state, exception) + " " + exception);

    void IDisposable.Dispose() => loggers.Dispose();
}
