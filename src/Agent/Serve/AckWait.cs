using System.Threading.Tasks;
using Postern.Xds.Discovery;

namespace Postern.Agent.Serve;

/// <summary>Somebody who waits for a version. Completed under the world's gate; goes on elsewhere.</summary>
internal sealed class AckWait(ResourceType type, ulong version)
{
    private readonly TaskCompletionSource<AckResult> source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ResourceType Type { get; } = type;

    public ulong Version { get; } = version;

    public Task<AckResult> Result => source.Task;

    public void Complete(AckResult result) => source.TrySetResult(result);
}
