using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using Postern.Policy;

namespace Postern.Records;

/// <summary>What became of the request or connection a record tells about.</summary>
public enum Verdict
{
    /// <summary>Let through.</summary>
    Forwarded,

    /// <summary>Refused by policy.</summary>
    Denied,

    /// <summary>Policy did not refuse it, but the proxy or the upstream failed.</summary>
    Error,
}

/// <summary>Reads the verdict off a record, and names policy reasons the way records and metric labels spell them.</summary>
public static class RecordVerdict
{
    private static readonly string[] Names = Array.ConvertAll(Enum.GetNames<PolicyReason>(), SnakeCase);
    private static readonly FrozenSet<string> Refusals = new HashSet<string>(Names[1..], StringComparer.Ordinal).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The reason text of a record that policy let through.</summary>
    public const string AllowedReason = "allowed";

    /// <summary>The reason text of what ended because a change of policy or identities forbids it now.</summary>
    public const string PolicyChangedReason = "policy_changed";

    /// <summary>
    /// The verdict: <see cref="EntryType.Denied"/> and every record with a policy reason (so also the 403 that answers it) or <c>policy_changed</c> are denied;
    /// <c>allowed</c> is forwarded; any other reason is an error code of the proxy.
    /// </summary>
    public static Verdict Of(VisibilityRecord record)
    {
        if (record.EntryType == EntryType.Denied)
        {
            return Verdict.Denied;
        }

        if (record.Reason is AllowedReason or "")
        {
            return Verdict.Forwarded;
        }

        return Refusals.Contains(record.Reason) || record.Reason == PolicyChangedReason ? Verdict.Denied : Verdict.Error;
    }

    /// <summary>The reason in snake case, e.g. <c>no_http_rule_matched</c>. Does not allocate.</summary>
    public static string NameOf(PolicyReason reason) => Names[(int)reason];

    private static string SnakeCase(string name)
    {
        var text = new System.Text.StringBuilder(name.Length + 4);
        foreach (var c in name)
        {
            if (char.IsAsciiLetterUpper(c) && text.Length > 0)
            {
                text.Append('_');
            }

            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }
}
