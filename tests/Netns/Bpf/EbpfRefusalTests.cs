using System;
using System.IO;
using Postern.Netns.Fixture;
using Postern.Tproxy;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;

namespace Postern.Tests.Netns.Bpf;

/// <summary>Where eBPF steering cannot be had, and what is chosen then.</summary>
public sealed class EbpfRefusalTests : IDisposable
{
    private readonly NetworkNamespace _node = new("node");
    private readonly EbpfRig _rig;

    public EbpfRefusalTests()
    {
        _node.Ip("link add d0 type bridge");
        _rig = new EbpfRig(_node);
    }

    public void Dispose()
    {
        _rig.Dispose();
        _node.Dispose();
    }

    [NetnsFact]
    public void SecondOwner_IsRefusedWhateverItsMode()
    {
        _rig.Replace("port=80,proxy-port=15001");
        var options = _rig.Options with { CommandTimeout = TimeSpan.FromMilliseconds(200) };
        using var ebpf = new EbpfSteering(options, _rig.Log.Enqueue);
        using var iptables = new IptablesSteering([], options, _rig.Log.Enqueue);

        foreach (var second in new ISteering[] { ebpf, iptables })
        {
            var error = Assert.Throws<TproxyException>(() => _node.Inside(second.Claim));
            Assert.StartsWith("another process steers in this network namespace", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal("d0", _rig.Devices);
    }

    [NetnsTheory]
    [InlineData("a file")]
    [InlineData("a folder with something in it")]
    [InlineData("nothing that can be made")]
    public void BpfRootNotMountable_IsRefusedWithTheKnob(string what)
    {
        Break(what);

        var error = Assert.Throws<TproxyException>(_rig.Claim);

        Assert.Contains("mount -t bpf bpf /sys/fs/bpf", error.Message, StringComparison.Ordinal);
        Assert.Contains("BpfRoot", error.Message, StringComparison.Ordinal);
        _rig.Options = _rig.Options with { BpfRoot = Path.Combine(_rig.Options.LockDirectory, "bpf") };
        _rig.Remove();
        // The lock is free again.
        using var next = new EbpfSteering(_rig.Options, _rig.Log.Enqueue);
        _node.Inside(next.Claim);
        _node.Inside(next.Dispose);
    }

    [NetnsFact]
    public void BpfFileSystemCannotBeWritten_IsRefusedAtTheStart()
    {
        var root = _rig.Options.BpfRoot;
        Directory.CreateDirectory(root);
        _node.Run("mount", "-t", "bpf", "-o", "ro", "bpf", root).OrThrow();
        try
        {
            Assert.Contains("must write to the BPF file system at " + root, _node.Inside(() => EbpfSteering.WhyNot(_rig.Options)), StringComparison.Ordinal);
            Assert.Contains("--bpf-root", Assert.Throws<TproxyException>(_rig.Claim).Message, StringComparison.Ordinal);
            _node.Run("mount", "-o", "remount,rw", root).OrThrow();
            Assert.Null(_node.Inside(() => EbpfSteering.WhyNot(_rig.Options)));
            Assert.Empty(Directory.GetDirectories(root));
        }
        finally
        {
            _node.Run("umount", root);
        }
    }

    [NetnsFact]
    public void NoCapability_IsRefused()
    {
        Assert.Contains("CAP_NET_ADMIN", Without(() => EbpfSteering.WhyNot(_rig.Options)), StringComparison.Ordinal);
        Assert.Contains("CAP_NET_ADMIN", Without(() => Assert.Throws<TproxyException>(_rig.Make().Claim).Message), StringComparison.Ordinal);
        Assert.Equal("False", Without(() => EbpfSteering.RemoveLeftovers(_rig.Options, _rig.Log.Enqueue).ToString()));
    }

    [NetnsFact]
    public void WhyNot_ChangesNothing()
    {
        Assert.Null(_node.Inside(() => EbpfSteering.WhyNot(_rig.Options)));

        Assert.False(Directory.Exists(_rig.Options.BpfRoot));
        Assert.False(Directory.Exists(_rig.Options.LockDirectory));
    }

    [NetnsFact]
    public void Auto_TakesEbpfWhereItCanBeHad()
    {
        using var chosen = Choose(SteeringMode.Auto);

        Assert.IsType<EbpfSteering>(chosen);
        Assert.Contains("steering: eBPF (tcx)", _rig.Log);
    }

    [NetnsFact]
    public void AutoWithoutEbpf_TakesIptablesAndSaysWhy()
    {
        Break("a file");

        using var chosen = Choose(SteeringMode.Auto);

        Assert.IsType<IptablesSteering>(chosen);
        Assert.Contains(_rig.Log, line => line.StartsWith("steering: iptables, because eBPF steering needs a BPF file system", StringComparison.Ordinal));
        Assert.Throws<TproxyException>(() => Choose(SteeringMode.Ebpf));
        Assert.IsType<IptablesSteering>(Choose(SteeringMode.Iptables));
    }

    [NetnsTheory]
    [InlineData("no BTF", "clang -g")]
    [InlineData("refused by the verifier", "refuses the steering program")]
    public void ProgramThatCannotBeLoaded_IsRefusedOrFallenBackFrom(string what, string said)
    {
        _rig.Options = _rig.Options with
        {
            Program = what == "no BTF" ? LoadTests.WithoutBtf() : LoadTests.Compile("__u32 key = 0, *value = bpf_map_lookup_elem(&devices, &key); return *value + skb->len;"),
        };

        Assert.Contains(said, Assert.Throws<TproxyException>(() => Choose(SteeringMode.Ebpf)).Message, StringComparison.Ordinal);
        Assert.Contains(said, Assert.Throws<TproxyException>(_rig.Claim).Message, StringComparison.Ordinal);
        Assert.IsType<IptablesSteering>(Choose(SteeringMode.Auto));

        Assert.Contains(_rig.Log, line => line.StartsWith("steering: iptables, because", StringComparison.Ordinal) && line.Contains(said, StringComparison.Ordinal));
        Assert.Empty(_rig.Links());
    }

    [NetnsFact]
    public void NoRightToBpf_IsRefusedOrFallenBackFrom()
    {
        const int NetAdmin = 12;
        Assert.Contains("CAP_BPF", Without(() => Assert.Throws<TproxyException>(() => SteeringSelector.Choose(SteeringMode.Ebpf, _rig.Options, _rig.Log.Enqueue)).Message, NetAdmin), StringComparison.Ordinal);

        Assert.Equal("Iptables", Without(() => SteeringSelector.Choose(SteeringMode.Auto, _rig.Options, _rig.Log.Enqueue).Mode.ToString(), NetAdmin));

        Assert.Contains(_rig.Log, line => line.StartsWith("steering: iptables, because eBPF steering needs CAP_BPF", StringComparison.Ordinal));
    }

    [NetnsFact]
    public void NoRightAtAll_AutoIsRefusedByItsFirstStep() =>
        Assert.Contains(
            "steering needs CAP_NET_ADMIN",
            Without(() => Assert.Throws<TproxyException>(() => SteeringSelector.Choose(SteeringMode.Auto, _rig.Options, _rig.Log.Enqueue).Claim()).Message),
            StringComparison.Ordinal);

    private ISteering Choose(SteeringMode wanted) => _node.Inside(() => SteeringSelector.Choose(wanted, _rig.Options, _rig.Log.Enqueue));

    private string Without(Func<string?> action, params int[] kept) => _node.Inside(() =>
    {
        string? result = null;
        Unprivileged.Run(() => result = action(), kept);
        return result ?? "null";
    });

    private void Break(string what)
    {
        var root = _rig.Options.BpfRoot;
        switch (what)
        {
            case "a file":
                File.WriteAllText(root, string.Empty);
                break;
            case "a folder with something in it":
                Directory.CreateDirectory(Path.Combine(root, "inner"));
                break;
            default:
                _rig.Options = _rig.Options with { BpfRoot = "/proc/postern/bpf" };
                break;
        }
    }
}
