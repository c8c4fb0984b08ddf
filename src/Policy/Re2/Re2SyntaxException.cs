using System;

namespace Postern.Policy.Re2;

/// <summary>A pattern that RE2 refuses, or that Postern cannot run in linear time. Says what and where; the caller adds the rule's path.</summary>
internal sealed class Re2SyntaxException(string message) : Exception(message);
