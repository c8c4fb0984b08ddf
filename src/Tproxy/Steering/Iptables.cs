using System;

namespace Postern.Tproxy.Steering;

/// <summary>The mangle table of one IP version through the iptables commands: listing, atomic change, and asking what the kernel can do.</summary>
internal sealed class Iptables(CommandRunner runner, IpFamily family, SteeringOptions options)
{
    // The lock of iptables-legacy; iptables-nft takes the option and has no need of it.
    private static readonly string[] Wait = ["-w", "5"];

    private string Command => family.Iptables + options.IptablesVariant;

    private string RestoreCommand => family.Iptables + options.IptablesVariant + "-restore";

    internal bool Exists => CommandRunner.Find(Command) is not null && CommandRunner.Find(RestoreCommand) is not null;

    /// <summary>iptables -S of the mangle table.</summary>
    internal string List()
    {
        var result = runner.Run(Command, ["-t", "mangle", .. Wait, "-S"]);
        return result.Succeeded
            ? result.Output
            : throw new TproxyException($"'{Command} -t mangle -S' failed: {result.Complaint}; is the mangle table in the kernel (modprobe iptable_mangle, nf_tables)?");
    }

    internal CommandResult Restore(string script) => runner.Run(RestoreCommand, ["--noflush", .. Wait], script);

    /// <summary>Whether the kernel takes a rule. The probe is its own transaction: within one, a rule that is deleted again may never reach the kernel.</summary>
    internal bool Takes(string rule)
    {
        if (!Restore(IptablesText.Probe(rule)).Succeeded)
        {
            return false;
        }

        Restore($"*mangle\n-F {IptablesText.ProbeChain}\n-X {IptablesText.ProbeChain}\nCOMMIT\n");
        return true;
    }

    /// <summary>The way replies are caught that this kernel has.</summary>
    internal ReturnPath Settle(ReturnPath wanted, Action<string> log)
    {
        if (wanted != ReturnPath.ConnectionMark && Takes(IptablesText.ProbeSocket))
        {
            return ReturnPath.SocketMatch;
        }

        if (wanted == ReturnPath.SocketMatch)
        {
            throw new TproxyException($"cannot steer {family}: the kernel lacks the 'socket' match (modprobe xt_socket, CONFIG_NETFILTER_XT_MATCH_SOCKET), which ReturnPath=SocketMatch asks for");
        }

        if (!Takes(IptablesText.ProbeConnmark))
        {
            throw new TproxyException(wanted == ReturnPath.ConnectionMark
                ? $"cannot steer {family}: the kernel lacks connection marks (modprobe xt_connmark xt_conntrack), which ReturnPath=ConnectionMark asks for"
                : $"cannot steer {family}: the kernel has neither the 'socket' match (modprobe xt_socket) nor connection marks (modprobe xt_connmark xt_conntrack); without one of them replies to source-preserving connections are lost");
        }

        if (wanted == ReturnPath.Automatic)
        {
            log($"steering: the kernel lacks xt_socket; {family} replies are caught by connection mark instead");
        }

        return ReturnPath.ConnectionMark;
    }

    /// <exception cref="TproxyException">Older connections are to be kept, and the kernel cannot tell them from those that the proxy has.</exception>
    internal void Demand(OlderConnections older)
    {
        if (older == OlderConnections.Keep && !Takes(IptablesText.ProbeSocket))
        {
            throw new TproxyException($"cannot keep older {family} connections: the kernel lacks the 'socket' match (modprobe xt_socket, CONFIG_NETFILTER_XT_MATCH_SOCKET), by which they are told from those that the proxy has; load it, or choose OlderConnections=Cut");
        }
    }

    /// <summary>Whether answers can be told from connections of an endpoint's own.</summary>
    internal AnswerRules SettleAnswers(Action<string> log)
    {
        if (Takes(IptablesText.ProbeAnswers))
        {
            return AnswerRules.Told;
        }

        log($"steering: the kernel lacks connection marks (modprobe xt_connmark xt_conntrack): a {family} rule for what an endpoint sends also catches what it answers");
        return AnswerRules.NotTold;
    }

    /// <summary>Why an installation was refused, as far as single probes can tell.</summary>
    internal string Diagnose(CommandResult refused)
    {
        if (!Takes(IptablesText.ProbeTproxy))
        {
            return $"cannot steer {family}: the kernel lacks the TPROXY target (modprobe xt_TPROXY nf_tproxy_{(family == IpFamily.V4 ? "ipv4" : "ipv6")})";
        }

        return !Takes(IptablesText.ProbeComment)
            ? $"cannot steer {family}: the kernel lacks the 'comment' match (modprobe xt_comment), by which our rules are recognised"
            : $"cannot steer {family}: {RestoreCommand} refused the rules: {refused.Complaint}";
    }
}
