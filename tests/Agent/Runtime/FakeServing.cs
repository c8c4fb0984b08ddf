using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Postern.Agent.Compile;
using Postern.Agent.Runtime;
using Postern.Agent.Serve;

namespace Postern.Tests.Agent.Runtime;

/// <summary>The proxy's word comes when the test gives it.</summary>
internal sealed class FakeServing(Action<string> log) : INodeServing
{
    private readonly Queue<TaskCompletionSource<ServingResult>> asked = new();
    private readonly Lock gate = new();

    public int Waiting
    {
        get
        {
            lock (gate)
            {
                return asked.Count;
            }
        }
    }

    public bool HasMoreToRetire { get; set; }

    public Task<ServingResult> ServeAsync(CompiledNode node, CancellationToken cancellationToken)
    {
        log($"serving: {string.Join(',', Names(node))}");
        var word = new TaskCompletionSource<ServingResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            asked.Enqueue(word);
        }
        return word.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Port of every listener as an earlier agent left it.</summary>
    public ushort? Remembered { get; set; }

    public ushort? PortOf(Redirect redirect) => Remembered;

    public bool Retire()
    {
        log("serving: retire");
        var more = HasMoreToRetire;
        HasMoreToRetire = false;
        return more;
    }

    public IReadOnlyList<StreamStatus> ReadStreams() => [];

    /// <summary>Answers the oldest question.</summary>
    public void Say(AckOutcome outcome, string detail = "", ushort? port = 10001)
    {
        lock (gate)
        {
            asked.Dequeue().TrySetResult(new ServingResult(outcome, detail, _ => port));
        }
    }

    private static IEnumerable<string> Names(CompiledNode node)
    {
        foreach (var endpoint in node.Endpoints)
        {
            yield return endpoint.Name;
        }
    }
}
