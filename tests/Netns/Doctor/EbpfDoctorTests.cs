using System;
using System.IO;
using System.Linq;
using Postern.Agent.Doctor;
using Postern.Agent.Doctor.Checks;
using Postern.Netns.Fixture;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Diagnosis;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns.Doctor;

/// <summary>What the doctor reads of real programs, pins and counters.</summary>
public sealed class EbpfDoctorTests : IDisposable
{
    private readonly NodeTopology _net = new();
    private readonly string _root = Directory.CreateTempSubdirectory("pst-bpf-").FullName;
    private readonly SteeringOptions _options;

    public EbpfDoctorTests() => _options = SteeringOptions.Default with { BpfRoot = Path.Combine(_root, "bpf"), LockDirectory = Path.Combine(_root, "lock") };

    public void Dispose()
    {
        _net.Dispose();
        // The steering mounts what is not mounted, and leaves it.
        using var unmount = System.Diagnostics.Process.Start("umount", [_options.BpfRoot]);
        unmount.WaitForExit();
        Directory.Delete(_root, recursive: true);
    }

    [NetnsFact]
    public void Programs_AreSeenAndMissedWhenTheyAreGone() => _net.Node.Inside(() =>
    {
        Directory.CreateDirectory(_options.BpfRoot);
        using var steering = new EbpfSteering(_options, _ => { });
        steering.Claim();
        steering.Replace([SteeringRule.Parse("port=80,proxy-port=15001")]);

        var well = Read();
        Assert.Empty(well.Bpf.Blind);
        Assert.Equal(["program.fine"], Ids(new ProgramCheck(), well));
        Assert.NotEmpty(well.Bpf.Counters);
        Assert.Contains("routing.fine", Ids(new RoutingCheck(), well));
        Assert.Equal(["steering.ebpf", "steering.rules-written"], Ids(new SteeringCheck(), well));

        var index = well.Network.Links.Single(link => link.Name == NodeTopology.ClientSide).Index;
        File.Delete(Path.Combine(well.Bpf.Folder, "links", $"{index}-ingress"));
        File.Delete(Path.Combine(well.Bpf.Folder, "maps-2", "flows"));
        // The link goes some time after its last name.
        Wait.Until(() => Ids(new ProgramCheck(), Read()) is ["program.map-missing", "program.no-ingress"], () => string.Join('\n', new ProgramCheck().Check(Read())));
    });

    private NodeFacts Read()
    {
        var network = new NetworkDiagnosis(_options).Read();
        return new NodeFacts { Options = _options, Network = network, Bpf = BpfDiagnosis.Read(_options, network.Links) };
    }

    private static string[] Ids(INodeCheck check, NodeFacts facts) => [.. check.Check(facts).Select(finding => finding.Id)];
}
