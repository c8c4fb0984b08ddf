using System;
using System.Collections.Generic;
using System.IO;
using Postern.Tproxy;
using Postern.Tproxy.Steering;

// Installs steering in this network namespace as agent and proxy do, holds it until standard input ends, and takes it away.
//   install ebpf|iptables RULES STATE     RULES: a file with one rule per line; STATE: a folder for the lock, with a BPF file system at STATE/bpf
if (args is not ["install", "ebpf" or "iptables", _, _])
{
    Console.Error.WriteLine("usage: Postern.Bench.Steering install ebpf|iptables RULES STATE");
    return 2;
}
var mode = args[1] == "ebpf" ? SteeringMode.Ebpf : SteeringMode.Iptables;
var options = SteeringOptions.Default with
{
    LockDirectory = Path.Combine(args[3], "lock"),
    BpfRoot = Path.Combine(args[3], "bpf"),
    MendSysctls = true,
    CommandTimeout = TimeSpan.FromSeconds(120), // iptables takes its time for thousands of rules
};
var rules = new List<SteeringRule>();
foreach (var line in File.ReadLines(args[2]))
{
    rules.Add(SteeringRule.Parse(line));
}
try
{
    using var steering = SteeringSelector.Choose(mode, options, Console.Error.WriteLine);
    steering.Replace(rules);
    Console.WriteLine("installed");
    Console.In.ReadToEnd();
    return 0;
}
catch (TproxyException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
