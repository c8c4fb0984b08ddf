using System;

namespace Postern.Proxy.PolicyTest;

/// <summary>A vector that cannot be understood; counts as failed, because a check that silently does nothing is worse than none.</summary>
internal sealed class CaseFormatException(string message) : Exception(message);
