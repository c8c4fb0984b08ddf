using System;
using System.Threading.Channels;
using System.Threading.Tasks;
using Postern.Xds.Text;

namespace Postern.Xds.Discovery.Streams;

/// <summary>
/// Where configuration is decoded and applied: one job at a time, in order, off the threads that read streams. Its length is bounded by its
/// users: a stream or file has one update in work, and other jobs are posted once.
/// </summary>
internal sealed class ConfigurationWorker : IAsyncDisposable
{
    private readonly Channel<Action> jobs = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Action<string> log;
    private readonly Task loop;

    public ConfigurationWorker(Action<string> log)
    {
        this.log = log;
        loop = RunAsync();
    }

    /// <summary>Runs it some time. After the end it is dropped.</summary>
    public void Post(Action job) => jobs.Writer.TryWrite(job);

    /// <summary>Completes when the job has run, whatever came of it, or at once after the end.</summary>
    public Task RunAsync(Action job)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var posted = jobs.Writer.TryWrite(() =>
        {
            try
            {
                job();
            }
            finally
            {
                done.SetResult();
            }
        });
        return posted ? done.Task : Task.CompletedTask;
    }

    /// <summary>Runs what was posted, then ends.</summary>
    public async ValueTask DisposeAsync()
    {
        jobs.Writer.TryComplete();
        await loop.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        // A sink may post: its job must not run inside the caller's.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await foreach (var job in jobs.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                job();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                log($"xds: a bug in the configuration worker, it goes on: {e.GetType().Name}: {Printable.Clip(e.Message)}");
            }
        }
    }
}
