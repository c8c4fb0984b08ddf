using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using Postern.Bench.Verdict;

// Cost of one verdict (endpoint look-up, port look-up, network level, HTTP level) against the number of rules, each with an identity of
// its own. Sizes are measured in interleaved rounds, so that what disturbs the machine disturbs all of them; medians are compared.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
int[] sizes = [10, 1_000, 100_000];
const int Rounds = 21;
const int Calls = 200_000;

var worlds = sizes.Select(size => new World(size)).ToArray();
foreach (var world in worlds)
{
    world.Run(Calls);
    world.Run(Calls); // tiered compilation settles
}
System.Threading.Thread.Sleep(300); // let the background compiler finish before anything is timed

var times = worlds.Select(_ => new List<double>()).ToArray();
for (var round = 0; round < Rounds; round++)
{
    for (var i = 0; i < worlds.Length; i++)
    {
        var which = (i + round) % worlds.Length;
        var watch = Stopwatch.GetTimestamp();
        worlds[which].Run(Calls);
        times[which].Add(Stopwatch.GetElapsedTime(watch).TotalNanoseconds / Calls);
    }
}

Console.WriteLine($"{World.Endpoints} endpoints, random endpoint and identity per call, {Calls} calls a round, {Rounds} interleaved rounds");
Console.WriteLine("  rules   ns/verdict  bytes/verdict  compile ms  one-endpoint update ms  snapshot MB");
var medians = new double[worlds.Length];
for (var i = 0; i < worlds.Length; i++)
{
    medians[i] = Median(times[i]);
    Console.WriteLine($"{sizes[i],7} {medians[i],11:F1} {worlds[i].AllocatedPerCall(Calls),14:F3} {worlds[i].CompileMilliseconds,11:F1} {worlds[i].UpdateMilliseconds(),23:F2} {worlds[i].Megabytes,12:F1}");
}
for (var i = 1; i < worlds.Length; i++)
{
    Console.WriteLine($"ratio verdict_{sizes[i]} verdict_10 {medians[i] / medians[0]:F2}");
}
return 0;

static double Median(List<double> values)
{
    values.Sort();
    return values[values.Count / 2];
}
