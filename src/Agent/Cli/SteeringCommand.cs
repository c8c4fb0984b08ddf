using System.CommandLine;
using System.Globalization;
using System.IO;
using Postern.Agent.Api;

namespace Postern.Agent.Cli;

/// <summary><c>postern-agent steering …</c>.</summary>
internal static class SteeringCommand
{
    public static Command Create() => new("steering", "By what traffic is steered, by which rules, and what the packets met")
    {
        new Query().Of<SteeringView>("list", "Mode, devices, and the rules in force; the first that matches decides", "/v1/steering", Write),
        new Query().Of<SteeringCountersView>("counters", "Packets by what became of them (eBPF)", "/v1/steering/counters", Write),
    };

    internal static void Write(SteeringView steering, TextWriter output)
    {
        output.WriteLine($"Mode:     {steering.Mode}{(steering.Reason.Length == 0 ? string.Empty : $" ({steering.Reason})")}");
        if (steering.Devices.Count > 0)
        {
            output.WriteLine("Devices:  " + string.Join(' ', steering.Devices));
        }
        output.WriteLine("Rules:    " + (steering.Installed ? steering.Rules.Count.ToString(CultureInfo.InvariantCulture) : "not installed"));
        foreach (var rule in steering.Rules)
        {
            output.WriteLine("  " + rule);
        }
        if (steering.Error.Length > 0)
        {
            output.WriteLine("Error:    " + steering.Error.ReplaceLineEndings(" "));
        }
    }

    internal static void Write(SteeringCountersView view, TextWriter output)
    {
        if (view.Note.Length > 0)
        {
            output.WriteLine($"{view.Mode}: {view.Note}");
            return;
        }
        var table = new TextTable("COUNTER", "PACKETS", "MEANING");
        foreach (var counter in view.Counters)
        {
            table.Add(counter.Name, counter.Packets.ToString(CultureInfo.InvariantCulture), counter.Meaning);
        }
        table.WriteTo(output);
    }
}
