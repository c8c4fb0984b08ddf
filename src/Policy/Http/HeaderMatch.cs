using System;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Postern.Policy.Config;
using Postern.Policy.Matching;

namespace Postern.Policy.Http;

/// <summary>
/// A compiled <c>cilium.HeaderMatch</c>: compares one header and acts on it. Every match of a rule runs, also after one failed, and what
/// it changed stays even if the request is denied in the end. Unknown actions fail. Once a secret is named nothing of the header's value
/// is logged, neither the wanted one nor the client's wrong one.
/// </summary>
internal sealed class HeaderMatch
{
    public const string Redacted = "[redacted]";

    private readonly HeaderField field;
    private readonly string inline;
    private readonly MatchAction onMatch;
    private readonly MismatchAction onMismatch;
    private readonly string secretName;

    /// <exception cref="FieldException">The match is refused.</exception>
    public HeaderMatch(HeaderMatchConfig config)
    {
        if (config.Name.Length == 0)
        {
            throw new FieldException("the header name must have at least one character");
        }
        field = new HeaderField(config.Name);
        inline = WireText.From(config.Value);
        onMatch = config.MatchAction;
        onMismatch = config.MismatchAction;
        secretName = config.ValueSdsSecret;
        if (field.IsPseudo && (onMatch == MatchAction.DeleteOnMatch
            || onMismatch is MismatchAction.AddOnMismatch or MismatchAction.DeleteOnMismatch or MismatchAction.ReplaceOnMismatch))
        {
            throw new FieldException($"'{config.Name}' is part of the request line and cannot be added, removed or replaced; use FAIL or CONTINUE actions");
        }
    }

    /// <summary>The header's name when its value is compared with a secret, else null.</summary>
    public string? SecretHeader => secretName.Length > 0 ? this.field.Name : null;

    /// <summary>True when the rule may still accept the request.</summary>
    public bool Apply(IHttpPolicyRequest request, ISecretSource secrets, HeaderMatchLog log)
    {
        var wanted = inline;
        var secret = secretName.Length > 0;
        if (secret)
        {
            // An empty secret would turn into a presence match, which any value satisfies: it counts as not loaded.
            var loaded = secrets.FindGenericSecret(secretName);
            if (!string.IsNullOrEmpty(loaded))
            {
                wanted = WireText.From(loaded);
            }
            else if (inline.Length == 0)
            {
                return false;
            }
        }
        var buffer = default(JoinBuffer);
        var found = field.TryGet(request, ref buffer, out var actual);
        var matches = found && (wanted.Length == 0 || EqualInConstantTime(actual, wanted));
        var accepted = matches ? Matched(request, wanted, secret, log) : Mismatched(request, wanted, found, actual, secret, log);
        buffer.Dispose();
        return accepted;
    }

    private bool Matched(IHttpPolicyRequest request, string wanted, bool secret, HeaderMatchLog log)
    {
        switch (onMatch)
        {
            case MatchAction.ContinueOnMatch:
                return true;
            case MatchAction.DeleteOnMatch:
                request.RemoveHeader(field.Name);
                log.AddRejected(field.Name, secret ? Redacted : wanted);
                return true;
            default:
                log.AddRejected(field.Name, secret ? Redacted : wanted);
                return false;
        }
    }

    private bool Mismatched(IHttpPolicyRequest request, string wanted, bool found, ReadOnlySpan<char> actual, bool secret, HeaderMatchLog log)
    {
        var shown = secret ? Redacted : wanted;
        if (onMismatch is MismatchAction.AddOnMismatch or MismatchAction.ReplaceOnMismatch && wanted.AsSpan().ContainsAny('\r', '\n', '\0'))
        {
            log.AddMissing(field.Name, shown); // a secret with a line break in it would end its line, or the head, in HTTP/1: it goes nowhere, and nor does the request
            return false;
        }
        switch (onMismatch)
        {
            case MismatchAction.ContinueOnMismatch:
                log.AddMissing(field.Name, shown);
                return true;
            case MismatchAction.AddOnMismatch:
                log.AddMissing(field.Name, shown);
                request.AppendHeader(field.Name, wanted);
                return true;
            case MismatchAction.DeleteOnMismatch:
                if (found)
                {
                    log.AddRejected(field.Name, secret ? Redacted : actual.ToString());
                    request.RemoveHeader(field.Name);
                }
                return true;
            case MismatchAction.ReplaceOnMismatch:
                if (found)
                {
                    log.AddRejected(field.Name, secret ? Redacted : actual.ToString());
                }
                log.AddMissing(field.Name, shown);
                request.SetHeader(field.Name, wanted);
                return true;
            default:
                log.AddMissing(field.Name, shown);
                return false;
        }
    }

    // The time tells the length of the wanted value and nothing else about it.
    private static bool EqualInConstantTime(ReadOnlySpan<char> actual, ReadOnlySpan<char> wanted) =>
        CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(actual), MemoryMarshal.AsBytes(wanted));
}
