using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Postern.Tproxy.Bpf;

namespace Postern.Tproxy.Steering;

/// <summary>
/// Steers TCP and UDP traffic of this network namespace to the proxy's transparent listeners by iptables TPROXY, and takes the steering away again.
/// What it installs is atomic per IP version and replaces what a crashed run left. After SIGKILL the rules stay until the next start
/// (<see cref="Install"/> or <see cref="RemoveLeftovers"/>): TPROXY drops what it cannot hand to a listener, so the traffic stops and does not
/// pass unpoliced. Calls block for as long as the commands run; they act on the calling thread's network namespace.
/// Traffic that starts on this host (OUTPUT) is not steered.
/// </summary>
public sealed class IptablesSteering : ISteering, IAsyncDisposable
{
    private static readonly IpFamily[] Families = [IpFamily.V4, IpFamily.V6];

    private readonly SteeringOptions options;
    private readonly Action<string> log;
    private readonly CommandRunner runner;
    private IReadOnlyList<SteeringRule> rules;
    private SteeringLock? owned;
    private bool reported;
    private bool swept;

    /// <param name="rules">In order; the first that matches decides the listener.</param>
    /// <param name="options">See <see cref="SteeringOptions"/>.</param>
    /// <param name="log">Gets one line per thing the operator should know.</param>
    /// <exception cref="TproxyException">A rule is malformed.</exception>
    public IptablesSteering(IReadOnlyList<SteeringRule> rules, SteeringOptions options, Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        SteeringOptionsCheck.Demand(options);
        this.rules = Checked(rules);
        this.options = options;
        this.log = log;
        this.runner = new CommandRunner(options.CommandTimeout);
    }

    public SteeringMode Mode => SteeringMode.Iptables;

    /// <summary>
    /// Installs the rules in place of any earlier ones of ours. Open the listeners first: from here on the traffic is theirs. If the
    /// first call throws, nothing of it stays; if a later one does, the earlier rules stay in force.
    /// </summary>
    /// <exception cref="TproxyException">No capability, a missing command or kernel feature, or another process steers here.</exception>
    public void Install()
    {
        var fresh = owned is null;
        Claim();
        try
        {
            KernelSettings.Report(options.MendSysctls, log);
            InstallAll(rules, keepChains: false);
        }
        catch
        {
            // A first installation leaves nothing half done; a later one leaves the rules in force, for taking them away would let traffic by.
            if (fresh)
            {
                Dispose();
            }

            throw;
        }
    }

    /// <summary>
    /// Takes the namespace's steering over without a change to it: what a crashed run left goes on stopping traffic, and
    /// <see cref="RemoveLeftovers"/> of any other process lets it be. Does nothing if it is ours already.
    /// </summary>
    /// <exception cref="TproxyException">No capability, a missing command, or another process steers here.</exception>
    public void Claim()
    {
        Privilege.DemandNetAdmin();
        // Now rather than with the first rule: a node that cannot steer would go unpoliced, and say so where nobody looks.
        foreach (var command in (string[])[IpFamily.V4.Iptables + options.IptablesVariant, IpFamily.V4.Iptables + options.IptablesVariant + "-restore", "ip"])
        {
            CommandRunner.Demand(command);
        }

        owned ??= SteeringLock.Take(options, log);
    }

    /// <summary>
    /// Puts other rules in the place of those in force, in one transaction per IP version: no packet meets a moment without rules. With no rule
    /// left the chain stays, so that connections which the proxy still has go on; <see cref="Remove"/> takes it away.
    /// </summary>
    /// <exception cref="TproxyException">As of <see cref="Install"/>. The rules of an IP version that was not reached stay in force.</exception>
    public void Replace(IReadOnlyList<SteeringRule> next)
    {
        ArgumentNullException.ThrowIfNull(next);
        var wanted = Checked(next);
        Claim();
        if (!reported)
        {
            KernelSettings.Report(options.MendSysctls, log);
            reported = true;
        }

        InstallAll(wanted, keepChains: true);
        this.rules = wanted;
    }

    /// <summary>Takes away what <see cref="Install"/> brought, and nothing else. Does nothing if it is gone already.</summary>
    /// <exception cref="TproxyException">A command failed; the rest was still tried.</exception>
    public void Remove()
    {
        if (owned is null)
        {
            return;
        }

        try
        {
            if (!swept)
            {
                EbpfLeftovers.TryRemove(options, log);
            }

            RemoveAll(options, runner, log);
            RulesFile.Remove(options, log);
        }
        finally
        {
            owned.Dispose();
            this.owned = null;
        }
    }

    /// <summary>
    /// Takes away what a run that crashed or was killed left behind; to be called at every start, also of a proxy that does not steer. Leaves
    /// alone the steering of a process that is alive, and does nothing without CAP_NET_ADMIN or without iptables. What fails goes to the log and
    /// is no reason not to start: leftovers stop traffic, they do not let any by.
    /// </summary>
    /// <returns>Whether there was anything.</returns>
    public static bool RemoveLeftovers(SteeringOptions options, Action<string> log)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(log);
        SteeringOptionsCheck.Demand(options);
        return Privilege.HasNetAdmin() && SteeringLock.IfFree(options, log, () => RemoveOwnerless(options, log));
    }

    /// <summary>As <see cref="RemoveLeftovers"/>; the steering lock is the caller's.</summary>
    /// <exception cref="TproxyException">A command failed.</exception>
    internal static bool RemoveOwnerless(SteeringOptions options, Action<string> log)
    {
        var removed = RemoveAll(options, new CommandRunner(options.CommandTimeout), log);
        RulesFile.Remove(options, log);
        if (removed)
        {
            log("steering: rules of an earlier run that did not end cleanly were removed");
        }

        return removed;
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

    /// <summary>As <see cref="Dispose"/>; runs on the calling thread, which is in the right network namespace.</summary>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private static SteeringRule[] Checked(IReadOnlyList<SteeringRule> rules)
    {
        foreach (var rule in rules)
        {
            SteeringRuleText.Check(rule, rule.ToString());
        }

        return [.. rules];
    }

    private void InstallAll(IReadOnlyList<SteeringRule> wanted, bool keepChains)
    {
        foreach (var family in Families)
        {
            InstallFamily(family, wanted, keepChains);
        }

        // Not before these stand: until then an earlier run's programs keep traffic from going by. Once: nobody else steers while the lock is ours.
        if (!swept)
        {
            EbpfLeftovers.TryRemove(options, log);
            swept = true;
        }

        RulesFile.Write(options, new KnownRules(Mode, wanted, []), log);
    }

    /// <summary>For eBPF steering, whose rules stand already and whose lock this is: takes the iptables rules away, not the ip rule and the route that both use.</summary>
    /// <exception cref="TproxyException">A command failed; the rest was still tried.</exception>
    internal static bool RemoveRules(SteeringOptions options, Action<string> log) =>
        RemoveAll(options, new CommandRunner(options.CommandTimeout), log, keepRouting: true);

    private void InstallFamily(IpFamily family, IReadOnlyList<SteeringRule> wanted, bool keepChains)
    {
        var concerned = false;
        foreach (var rule in wanted)
        {
            concerned |= rule.Concerns(family);
        }

        if (family == IpFamily.V6 && !KernelSettings.HasIpv6())
        {
            log("steering: IPv6 is switched off in this network namespace; only IPv4 is steered");
            return;
        }

        if (!concerned && !(keepChains && IsInstalled(family)))
        {
            try
            {
                RemoveFamily(family, options, runner, log);
            }
            catch (TproxyException error)
            {
                // No rule needs this family, so that its tools may well be missing; what may be left only stops traffic.
                log($"steering: {family} could not be searched for leftovers: {error.Message}");
            }

            return;
        }

        var iptables = new Iptables(runner, family, options);
        iptables.List(); // tells a missing table from a missing match, which the probe below cannot
        var path = iptables.Settle(options.ReturnPath, log);
        iptables.Demand(options.OlderConnections);
        // The route comes first: a packet given to a listener without it is dropped, not delivered.
        new PolicyRouting(runner, options, log).Install(family);
        var listener = family == IpFamily.V4 ? options.ListenerV4 : options.ListenerV6;
        var result = iptables.Restore(IptablesText.Install(family, wanted, listener, path, iptables.SettleAnswers(log), options.OlderConnections, iptables.List()));
        if (!result.Succeeded)
        {
            throw new TproxyException(iptables.Diagnose(result));
        }
    }

    private bool IsInstalled(IpFamily family)
    {
        var iptables = new Iptables(runner, family, options);
        return iptables.Exists && IptablesText.Holds(iptables.List(), IptablesText.PreChain);
    }

    private static bool RemoveAll(SteeringOptions options, CommandRunner runner, Action<string> log, bool keepRouting = false)
    {
        var removed = false;
        TproxyException? first = null;
        foreach (var family in Families)
        {
            try
            {
                removed |= RemoveFamily(family, options, runner, log, keepRouting);
            }
            catch (TproxyException error)
            {
                first ??= error;
            }
        }

        return first is null ? removed : throw first;
    }

    /// <summary>Rules first, then the route: in the other order packets would be marked for a route that is gone.</summary>
    private static bool RemoveFamily(IpFamily family, SteeringOptions options, CommandRunner runner, Action<string> log, bool keepRouting = false)
    {
        if (family == IpFamily.V6 && !KernelSettings.HasIpv6Stack())
        {
            return false;
        }

        var removed = false;
        var iptables = new Iptables(runner, family, options);
        if (iptables.Exists && IptablesText.Remove(iptables.List(), out var pinned) is { } script)
        {
            if (pinned is not null)
            {
                log($"steering: a rule that is not ours leads to our chain: '{pinned}'; the chain was emptied but stays, remove that rule");
            }

            var result = iptables.Restore(script);
            if (!result.Succeeded)
            {
                throw new TproxyException($"cannot remove the {family} steering: {result.Complaint}");
            }

            removed = true;
        }

        return (!keepRouting && CommandRunner.Find("ip") is not null && new PolicyRouting(runner, options, log).Remove(family)) || removed;
    }
}
