using System;
using Cilium;

namespace Postern.Agent.AccessLog;

/// <summary>One entry as it came.</summary>
/// <param name="Received">By the agent's clock.</param>
/// <param name="Entry">Checked; shared by all readers, do not change it.</param>
public sealed record AccessLogEntry(DateTimeOffset Received, LogEntry Entry);
