using System.Threading.Tasks;

namespace Postern.Proxy.Transport;

/// <summary>
/// Keeps one busy stream from holding a polling thread. With inline completions a copy loop whose reads and writes all complete at once would
/// never return to the poll, and every other socket of that thread would wait. After a run of such reads the loop goes on elsewhere.
/// Belongs to one copy loop; not thread-safe.
/// </summary>
internal struct FairShare
{
    private const int MaxRun = 16; // reads of up to 64 KiB: a megabyte, well under a millisecond

    private int run;

    /// <summary>Notes a read; true when the loop should give the thread up now, by <see cref="YieldAsync"/>.</summary>
    /// <param name="completedAtOnce">The read did not have to wait.</param>
    public bool IsOver(bool completedAtOnce)
    {
        run = completedAtOnce ? run + 1 : 0;
        if (run < MaxRun)
        {
            return false;
        }
        run = 0;
        return true;
    }

    /// <summary>Continues on a pool thread.</summary>
    public static async ValueTask YieldAsync() => await Task.Yield();
}
