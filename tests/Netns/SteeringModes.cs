using System;
using Postern.Tproxy.Bpf;
using Postern.Tproxy.Steering;
using Xunit;

namespace Postern.Tests.Netns;

/// <summary>Theory rows: the ways of steering, alone and with what both must be able to do.</summary>
public static class SteeringModes
{
    /// <summary>Why eBPF rows are missing, or null. The tests of eBPF steering itself fail or skip with the reason.</summary>
    public static string? WhyNoEbpf { get; } = Environment.IsPrivilegedProcess ? EbpfSteering.WhyNot(SteeringOptions.Default) : "not root";

    /// <summary>What this machine has.</summary>
    public static SteeringMode[] Available { get; } = WhyNoEbpf is null ? [SteeringMode.Iptables, SteeringMode.Ebpf] : [SteeringMode.Iptables];

    public static TheoryData<SteeringMode> All => [.. Available];

    public static TheoryData<SteeringMode, bool> EachV4AndV6
    {
        get
        {
            var data = new TheoryData<SteeringMode, bool>();
            foreach (var mode in Available)
            {
                data.Add(mode, false);
                data.Add(mode, true);
            }

            return data;
        }
    }

    /// <summary>How answers are caught is a matter of iptables only.</summary>
    public static TheoryData<SteeringMode, bool, ReturnPath> EachWithReturnPaths
    {
        get
        {
            var data = new TheoryData<SteeringMode, bool, ReturnPath>();
            foreach (var mode in Available)
            {
                foreach (var path in mode == SteeringMode.Iptables ? (ReturnPath[])[ReturnPath.SocketMatch, ReturnPath.ConnectionMark] : [ReturnPath.Automatic])
                {
                    data.Add(mode, false, path);
                    data.Add(mode, true, path);
                }
            }

            return data;
        }
    }
}
