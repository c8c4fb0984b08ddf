using System.Collections.Generic;
using Postern.Tproxy.Netlink;
using Postern.Tproxy.Steering;

namespace Postern.Tproxy.Bpf;

/// <content>What an earlier run left.</content>
public sealed partial class EbpfSteering
{
    /// <summary>Adopts what an earlier run left, if it is whole and at work. Else loads new maps, which wait for rules: the programs of before go on till then.</summary>
    private void LoadLocked(IReadOnlyList<NetworkDevice> present)
    {
        var adopted = pins!.TryOpenMaps(log);
        program = null;
        if (adopted is not null)
        {
            try
            {
                devices = new DevicePrograms(pins, options, log);
                program = devices.AreInForce(present) ? SteeringProgram.Load(adopted, options, log) : null;
            }
            catch (TproxyException error)
            {
                log($"steering: the maps of an earlier run cannot be used ({error.Message}); its programs go on until there are rules for new ones");
            }
            finally
            {
                if (program is null)
                {
                    adopted.Dispose();
                }
            }
        }

        inForce = program is not null;
        program ??= SteeringProgram.Load(null, options, log);
        devices = new DevicePrograms(pins, options, log);
        if (inForce)
        {
            Recall();
            devices.Sync(Admitted(present), program);
            TellOfFlowEntries(program.Maps.Flows);
            log($"steering: took over what an earlier run left on {devices.Attached.Count} devices; its rules are in force until they are replaced");
        }
    }

    private void TellOfFlowEntries(BpfMap flows)
    {
        if (BpfInfo.MaxEntries(flows.Descriptor) is var entries && entries != options.FlowEntries)
        {
            log($"steering: the map of flows that an earlier run made takes {entries} connections and stays; FlowEntries={options.FlowEntries} counts once the steering was removed and begins anew");
        }
    }

    /// <summary>The adopted maps' rules, so that what the first Replace drops drains.</summary>
    private void Recall()
    {
        namesDevices = true;
        if (RulesFile.Read(options, log) is not { Mode: SteeringMode.Ebpf } known)
        {
            return;
        }

        rules = known.InForce;
        draining = known.Draining;
        namesDevices = false;
        foreach (var rule in rules)
        {
            namesDevices |= rule.InInterface is not null;
        }
    }

    /// <summary>
    /// Adopted rules that name devices do not know those that came since: with the program, such a device would let by what they mean. Without it the guards
    /// drop that, until there are rules.
    /// </summary>
    private IReadOnlyList<NetworkDevice> Admitted(IReadOnlyList<NetworkDevice> present)
    {
        if (settled || !namesDevices)
        {
            return present;
        }

        var bearing = new List<NetworkDevice>();
        foreach (var device in present)
        {
            if (devices!.Bears(device))
            {
                bearing.Add(device);
            }
            else if (device.BearsPrograms)
            {
                log($"steering: {device.Name} gets its program with the first rules; until then what comes by it and rules concern is dropped");
            }
        }

        return bearing;
    }
}
