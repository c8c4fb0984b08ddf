using System;

namespace Postern.Proxy.Admin;

/// <summary>The admin pages cannot be served; the message names the address and the reason.</summary>
internal sealed class AdminException(string message, Exception inner) : Exception(message, inner);
