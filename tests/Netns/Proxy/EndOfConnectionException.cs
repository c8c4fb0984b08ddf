using System;

namespace Postern.Tests.Netns.Proxy;

/// <summary>The proxy closed the connection in good order, but before the answer was complete.</summary>
internal sealed class EndOfConnectionException(string had) : Exception($"closed after '{had}'");
