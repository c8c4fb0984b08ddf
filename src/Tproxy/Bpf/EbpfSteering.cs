using System;
using System.Collections.Generic;
using System.Threading;
using Postern.Tproxy.Netlink;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <summary>
/// Steers by programs on the devices of this network namespace (native/tproxy_bpf.c). Programs, rules and what connections there are outlive the process, by pins;
/// the next start adopts them. Devices that come get the program, from a thread of its own that watches them. Calls may come from any thread that is in the
/// network namespace; they block.
/// </summary>
public sealed partial class EbpfSteering : ISteering
{
    private readonly Lock gate = new();
    private readonly SteeringOptions options;
    private readonly Action<string> log;
    private readonly MarkedRouting routing;
    private SteeringLock? owned;
    private SteeringPins? pins;
    private SteeringProgram? program;
    private DevicePrograms? devices;
    private LinkWatch? watch;
    private InterfaceIndexes interfaces = new([]);
    private IReadOnlyList<SteeringRule> rules = [];
    private IReadOnlyList<SteeringRule> draining = [];
    private bool inForce; // the devices have this program, with its maps
    private bool settled; // a Replace has succeeded
    private bool namesDevices; // adopted rules do, or may

    /// <param name="options">See <see cref="SteeringOptions"/>.</param>
    /// <param name="log">Gets one line per thing the operator should know, from any thread.</param>
    /// <exception cref="TproxyException">An option is out of its bounds.</exception>
    public EbpfSteering(SteeringOptions options, Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        SteeringOptionsCheck.Demand(options);
        this.options = options;
        this.log = log;
        routing = new MarkedRouting(options, log);
    }

    public SteeringMode Mode => SteeringMode.Ebpf;

    /// <summary>Devices with the program, in no order. Empty before there are rules.</summary>
    public IReadOnlyList<AttachedDevice> Attached
    {
        get
        {
            lock (gate)
            {
                return devices?.Attached ?? [];
            }
        }
    }

    /// <summary>Packets by what became of them, since the maps were made; empty while nothing is claimed.</summary>
    public IReadOnlyDictionary<SteeringCounter, long> Counters
    {
        get
        {
            lock (gate)
            {
                return program is null ? new Dictionary<SteeringCounter, long>() : SteeringCounters.Read(program.Maps.Counters);
            }
        }
    }

    /// <summary>
    /// Null if eBPF steering can be had in this namespace, else why not, in one line. Loads the program and lets go of it; nothing is mounted, pinned or
    /// attached.
    /// </summary>
    public static string? WhyNot(SteeringOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        try
        {
            DemandMeans(options);
            if (BpfFileSystem.WhyNot(options) is { } reason)
            {
                return reason;
            }

            SteeringProgram.Load(null, options, static _ => { }).Dispose();
            return options.Attach == AttachMode.Tcx && !TcxHook.IsKnown() ? "this kernel has no tcx (Linux 6.6); AttachMode Automatic or Clsact does without" : null;
        }
        catch (TproxyException error)
        {
            return error.Message;
        }
    }

    /// <summary>As <see cref="IptablesSteering.RemoveLeftovers"/>, of programs, maps and pins, and of the ip rule and route if there were any of these.</summary>
    public static bool RemoveLeftovers(SteeringOptions options, Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        SteeringOptionsCheck.Demand(options);
        return Privilege.HasNetAdmin() && SteeringLock.IfFree(options, log, () => RemoveOwnerless(options, log));
    }

    /// <summary>As <see cref="RemoveLeftovers"/>; the steering lock is the caller's.</summary>
    internal static bool RemoveOwnerless(SteeringOptions options, Action<string> log)
    {
        RulesFile.Remove(options, log);
        if (!Privilege.HasBpf() || !EbpfLeftovers.TryRemove(options, log))
        {
            return false;
        }

        new MarkedRouting(options, log).Remove();
        return true;
    }

    public void Claim()
    {
        lock (gate)
        {
            ClaimLocked();
        }
    }

    public void Replace(IReadOnlyList<SteeringRule> next)
    {
        ArgumentNullException.ThrowIfNull(next);
        foreach (var rule in next)
        {
            SteeringRuleText.Check(rule, rule.ToString());
        }

        lock (gate)
        {
            ClaimLocked();
            ReplaceLocked([.. next]);
        }
    }

    public void Remove()
    {
        LinkWatch? ending;
        lock (gate)
        {
            if (owned is null)
            {
                return;
            }

            inForce = false;
            ending = watch;
            watch = null;
        }

        // Not under the lock, which a call that is under way may wait for.
        ending?.Dispose();
        lock (gate)
        {
            try
            {
                EbpfLeftovers.Remove(options);
                if (!settled)
                {
                    // Claimed, but never replaced: an earlier run's may still stand, and could not without the route.
                    RemoveIptablesRules();
                }

                routing.Remove();
                RulesFile.Remove(options, log);
            }
            finally
            {
                LetGo();
            }
        }
    }

    /// <summary>As <see cref="Remove"/>, but a failure goes to the log.</summary>
    public void Dispose()
    {
        try
        {
            Remove();
        }
        catch (TproxyException error)
        {
            log($"steering: could not be removed wholly: {error.Message}; the next start removes the rest");
        }
    }

    /// <summary>As the death of the process: nothing is taken away, the lock is free, nobody watches devices.</summary>
    internal void Abandon()
    {
        LinkWatch? ending;
        lock (gate)
        {
            inForce = false;
            ending = watch;
            watch = null;
        }

        ending?.Dispose();
        lock (gate)
        {
            LetGo();
        }
    }

    private static void DemandMeans(SteeringOptions options)
    {
        SteeringOptionsCheck.Demand(options);
        Privilege.DemandNetAdmin();
        Privilege.DemandBpf();
        CommandRunner.Demand("ip");
    }

    private void ClaimLocked()
    {
        if (owned is not null)
        {
            return;
        }

        DemandMeans(options);
        owned = SteeringLock.Take(options, log);
        try
        {
            BpfFileSystem.Demand(options, log);
            pins = new SteeringPins(options);
            // Before the devices are read, so that none is missed between.
            watch = new LinkWatch(Follow, log);
            LoadLocked(NetworkDevices.Read());
        }
        catch
        {
            inForce = false;
            var ending = watch;
            watch = null;
            // Its callback may wait for the lock that is ours: it ends by itself, once it sees that nothing is claimed.
            ending?.Stop();
            LetGo();
            throw;
        }
    }

    private void ReplaceLocked(SteeringRule[] wanted)
    {
        if (!settled)
        {
            KernelSettings.Report(options.MendSysctls, log);
        }

        routing.Install(wanted);
        var present = NetworkDevices.Read();
        var still = DrainingRules.After(draining, rules, wanted);
        WriteLocked(wanted, still, present);
        rules = wanted;
        draining = still;
        SetFlags();
        var stood = inForce;
        if (!stood)
        {
            PutInForce(present);
        }

        // The maps have them now, whatever devices say.
        RulesFile.Write(options, new KnownRules(Mode, rules, draining), log);
        if (stood)
        {
            devices!.Sync(present, program!);
        }

        if (!settled)
        {
            RemoveIptablesRules();
            settled = true;
        }
    }

    private void WriteLocked(IReadOnlyList<SteeringRule> wanted, IReadOnlyList<SteeringRule> still, IReadOnlyList<NetworkDevice> present)
    {
        var indexes = new InterfaceIndexes(present);
        SteeringSet.Write(program!.Maps, SteeringCompiler.Compile(wanted, still, indexes.Of));
        interfaces = indexes;
    }

    /// <summary>The maps hold the rules; now the devices get the program, those with an earlier run's by exchange.</summary>
    private void PutInForce(IReadOnlyList<NetworkDevice> present)
    {
        var first = !devices!.AreInForce(present);
        try
        {
            // Whoever finds maps and adopts them must not find those of programs that are exchanged already.
            pins!.RemoveMaps();
            devices.Sync(present, program!);
            DemandSome(present);
            pins.PinMaps(program!.Maps);
            inForce = true;
        }
        catch when (first)
        {
            // A first installation leaves nothing half done. Over an earlier one it leaves what there is, for taking that away would let traffic by.
            EbpfLeftovers.TryRemove(options, static _ => { });
            devices = new DevicePrograms(pins!, options, log);
            rules = [];
            draining = [];
            throw;
        }
    }

    /// <summary>Without the program anywhere there is also nobody who drops what passes.</summary>
    private void DemandSome(IReadOnlyList<NetworkDevice> present)
    {
        if (devices!.Attached.Count > 0)
        {
            return;
        }

        foreach (var device in present)
        {
            if (devices.Refused.TryGetValue(device.Index, out var reason))
            {
                throw new TproxyException($"no device takes the steering program: {reason}");
            }
        }
    }

    private void SetFlags()
    {
        Span<byte> state = stackalloc byte[SteeringLayout.StateSize];
        program!.Maps.State.TryLookup(BitConverter.GetBytes(0), state);
        BitConverter.TryWriteBytes(state[4..], options.OlderConnections == OlderConnections.Keep ? SteeringLayout.StateKeepOlder : 0);
        program.Maps.State.Update(BitConverter.GetBytes(0), state);
    }

    private void RemoveIptablesRules()
    {
        try
        {
            if (IptablesSteering.RemoveRules(options, log))
            {
                log("steering: iptables rules of an earlier run were removed; eBPF steers now");
            }
        }
        catch (TproxyException error)
        {
            log($"steering: iptables could not be searched for rules of an earlier run: {error.Message}");
        }
    }

    /// <summary>Devices have changed. Rules first: a device is not to have the program without the rules that name it.</summary>
    private void Follow()
    {
        lock (gate)
        {
            if (!inForce || program is null || devices is null)
            {
                return;
            }

            var present = NetworkDevices.Read();
            if (settled && !interfaces.HoldFor(present))
            {
                WriteLocked(rules, draining, present);
            }

            devices.Sync(Admitted(present), program);
        }
    }

    private void LetGo()
    {
        program?.Dispose();
        program = null;
        devices = null;
        pins = null;
        rules = [];
        draining = [];
        settled = false;
        owned?.Dispose();
        owned = null;
    }
}
