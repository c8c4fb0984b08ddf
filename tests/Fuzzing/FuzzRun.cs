using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Runtime.CompilerServices;
using System.Threading.Tasks;

namespace Postern.Tests.Fuzzing;

/// <summary>
/// One pass of a test over random inputs, or as many as fit into a budget. Without POSTERN_FUZZ_SECONDS it is one pass with the test's own seed, so an everyday run
/// is the same every time; with it, passes follow one another for so many seconds, each with a seed never used before. POSTERN_FUZZ_SEED plays one seed again. What
/// breaks a pass is written to POSTERN_FUZZ_FINDINGS (a folder): the input as bytes, and the seed with the message as text. <c>eng/fuzz.sh</c> sets all of these.
/// </summary>
internal sealed class FuzzRun
{
    private byte[] input = [];

    private FuzzRun(int seed)
    {
        Seed = seed;
        Random = new Random(seed);
    }

    /// <summary>Where all that is random in a pass comes from.</summary>
    public Random Random { get; }

    public int Seed { get; }

    /// <summary>Seconds to go on for; 0 in an everyday run.</summary>
    private static int Budget => int.TryParse(Environment.GetEnvironmentVariable("POSTERN_FUZZ_SECONDS"), CultureInfo.InvariantCulture, out var seconds) ? seconds : 0;

    /// <summary>Notes what is tried now: it is kept when the pass breaks.</summary>
    public byte[] Try(byte[] bytes) => input = bytes;

    /// <summary>Runs passes.</summary>
    /// <param name="seed">Of the everyday run.</param>
    /// <param name="pass">May be run many times.</param>
    /// <param name="name">Names findings.</param>
    public static void Repeat(int seed, Action<FuzzRun> pass, [CallerMemberName] string name = "") => RepeatAsync(
        seed,
        run =>
        {
            pass(run);
            return Task.CompletedTask;
        },
        name).GetAwaiter().GetResult();

    /// <inheritdoc cref="Repeat"/>
    public static async Task RepeatAsync(int seed, Func<FuzzRun, Task> pass, [CallerMemberName] string name = "")
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("POSTERN_FUZZ_SEED"), CultureInfo.InvariantCulture, out var told))
        {
            seed = told;
        }
        var budget = Budget;
        var clock = Stopwatch.StartNew();
        var passes = 0;
        do
        {
            var run = new FuzzRun(passes == 0 ? seed : Random.Shared.Next());
            try
            {
                await pass(run);
            }
            catch (Exception e)
            {
                run.Keep(name, e);
                throw;
            }
            passes++;
        }
        while (clock.Elapsed.TotalSeconds < budget);
        if (budget > 0)
        {
            Report($"{name}: {passes} passes in {clock.Elapsed.TotalSeconds:0} s without a finding");
        }
    }

    private static void Report(string line)
    {
        if (Environment.GetEnvironmentVariable("POSTERN_FUZZ_FINDINGS") is { Length: > 0 } folder)
        {
            File.AppendAllText(Path.Combine(folder, "passes.txt"), line + "\n");
        }
    }

    private void Keep(string name, Exception e)
    {
        if (Environment.GetEnvironmentVariable("POSTERN_FUZZ_FINDINGS") is not { Length: > 0 } folder)
        {
            return;
        }
        var file = Path.Combine(folder, $"{name}-{Seed}");
        File.WriteAllBytes(file + ".bin", input);
        File.WriteAllText(file + ".txt", $"test {name}, POSTERN_FUZZ_SEED={Seed}\n{e}\n");
    }
}
