using System.Collections.Generic;

namespace Postern.Agent.Model;

/// <summary>One item of rules.kafka. Source: the rule table of Cilium's Kafka policy.</summary>
/// <param name="ApiKeys">Allowed requests; empty is any.</param>
/// <param name="ApiVersion">-1 is any.</param>
/// <param name="ClientId">Empty is any.</param>
/// <param name="Topic">Empty is any.</param>
public sealed record KafkaRule(IReadOnlyList<int> ApiKeys, int ApiVersion, string ClientId, string Topic)
{
    /// <summary>What role <c>produce</c> stands for.</summary>
    public static readonly IReadOnlyList<int> ProduceKeys = [0, 3, 18];

    /// <summary>What role <c>consume</c> stands for.</summary>
    public static readonly IReadOnlyList<int> ConsumeKeys = [1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 18];

    /// <summary>Names of the requests that rules may name, by key. Source: Kafka protocol, keys 0–33.</summary>
    public static readonly IReadOnlyList<string> KeyNames =
    [
        "produce", "fetch", "offsets", "metadata", "leaderandisr", "stopreplica", "updatemetadata", "controlledshutdown", "offsetcommit", "offsetfetch",
        "findcoordinator", "joingroup", "heartbeat", "leavegroup", "syncgroup", "describegroups", "listgroups", "saslhandshake", "apiversions", "createtopics",
        "deletetopics", "deleterecords", "initproducerid", "offsetforleaderepoch", "addpartitionstotxn", "addoffsetstotxn", "endtxn", "writetxnmarkers",
        "txnoffsetcommit", "describeacls", "createacls", "deleteacls", "describeconfigs", "alterconfigs",
    ];
}
