using System;

namespace Postern.Proxy.Admin;

/// <summary>A query parameter that means nothing; the message is for whoever asked.</summary>
internal sealed class BadQueryException(string message) : Exception(message);
