using System.Diagnostics.CodeAnalysis;
using System.Threading;
using System.Threading.Tasks;

namespace Postern.Proxy.Tcp;

/// <summary>Lets one loop wait until somebody has news. News that comes while nobody waits is kept, once. <see cref="Set"/> is called under the owner's lock.</summary>
[SuppressMessage("Design", "CA1001", Justification = "a SemaphoreSlim without a wait handle holds nothing to dispose of")]
internal sealed class Wakeup
{
    private readonly SemaphoreSlim semaphore = new(0, 1);

    public void Set()
    {
        if (semaphore.CurrentCount == 0)
        {
            semaphore.Release();
        }
    }

    public Task WaitAsync() => semaphore.WaitAsync();
}
