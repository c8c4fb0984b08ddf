using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;

namespace Postern.Proxy.Listeners;

/// <summary>
/// Brings open connections to what policy in force says: after each change it walks all of them and closes what is no longer allowed. Changes in
/// quick succession are one walk; a change that comes during a walk makes another one. Works on a pool thread, a slice at a time, beside traffic.
/// </summary>
internal sealed partial class PolicyReview : IDisposable
{
    private const int Slice = 256; // connections between two chances for others to run
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(20); // an update of policies and one of identities often come together
    private static readonly TimeSpan AfterBug = TimeSpan.FromSeconds(1);

    // One place: a change is noted after it is in force and taken out before the walk, so none is missed.
    private readonly Channel<byte> changes = Channel.CreateBounded<byte>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Func<IReadOnlyList<ConnectionRegistry>> registries;
    private readonly ILogger logger;

    /// <param name="registries">Of all listeners, those that drain too.</param>
    /// <param name="logger">Told of what was closed.</param>
    public PolicyReview(Func<IReadOnlyList<ConnectionRegistry>> registries, ILogger logger)
    {
        this.registries = registries;
        this.logger = logger;
        _ = RunAsync();
    }

    /// <summary>Other policies or identities are in force. Returns at once.</summary>
    public void OnPolicyChanged() => changes.Writer.TryWrite(0);

    /// <summary>Walks once.</summary>
    public async ValueTask<ReviewCount> WalkAsync()
    {
        var count = default(ReviewCount);
        foreach (var registry in registries())
        {
            foreach (var connection in registry.Open())
            {
                if (connection.Verdict is not { } verdict)
                {
                    continue;
                }
                count = count.And(Review(verdict, connection));
                if (count.Open % Slice == 0)
                {
                    await Task.Yield();
                }
            }
        }
        return count;
    }

    public void Dispose() => changes.Writer.TryComplete();

    private async Task RunAsync()
    {
        while (await changes.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            await Task.Delay(Settle).ConfigureAwait(false);
            changes.Reader.TryRead(out _);
            var clock = Stopwatch.GetTimestamp();
            try
            {
                var count = await WalkAsync().ConfigureAwait(false);
                if (count.Closed > 0)
                {
                    LogClosed(logger, count.Closed, count.Open, (long)Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
                }
            }
#pragma warning disable CA1031 // A loop that ended here would leave forbidden connections open for ever, unseen.
            catch (Exception e)
#pragma warning restore CA1031
            {
                LogWalkFailed(logger, e);
                OnPolicyChanged();
                await Task.Delay(AfterBug).ConfigureAwait(false);
            }
        }
    }

    private ReviewResult Review(OpenVerdict verdict, ITrackedConnection connection)
    {
        try
        {
            return verdict.Review(connection);
        }
#pragma warning disable CA1031 // One connection's bug must not leave the others unjudged; it is logged and the connection cut.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogBug(logger, e);
            connection.AbortNow();
            return ReviewResult.Gone;
        }
    }

    [LoggerMessage(40, LogLevel.Information, "policy changed: {Closed} of {Open} open connections are no longer allowed and were reset, in {Milliseconds} ms")]
    private static partial void LogClosed(ILogger logger, int closed, int open, long milliseconds);

    [LoggerMessage(42, LogLevel.Error, "open connections could not be judged again after a change of policy; another walk follows in a second: unexpected exception")]
    private static partial void LogWalkFailed(ILogger logger, Exception exception);

    [LoggerMessage(41, LogLevel.Error, "an open connection could not be judged again and was reset: unexpected exception")]
    private static partial void LogBug(ILogger logger, Exception exception);
}
