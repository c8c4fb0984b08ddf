using System;
using System.Threading;
using Postern.Policy;

namespace Postern.Xds;

/// <summary>
/// The last good configuration of one kind. Every source ends here, whatever carried the bytes: load, validate, compare, publish;
/// on an error the last good one stays in force and one line says why. Any thread may offer; offers take turns.
/// </summary>
public sealed class ResourceStore<T>
    where T : class, IEquatable<T>
{
    private readonly Lock gate = new();
    private readonly Action<T> publish;
    private readonly Action<string> report;
    private T? current;

    /// <summary>Creates it, empty.</summary>
    /// <param name="publish">
    /// Compiles and swaps in a new configuration; may refuse it with <see cref="PolicyConfigException"/> or
    /// <see cref="XdsConfigException"/>, before it has changed anything.
    /// </param>
    /// <param name="report">Takes one line for every rejection.</param>
    public ResourceStore(Action<T> publish, Action<string> report)
    {
        this.publish = publish;
        this.report = report;
    }

    /// <summary>What is in force, or null before the first.</summary>
    public T? Current => Volatile.Read(ref current);

    /// <summary>Loads and, when it is good and differs, publishes. Does not throw for a bad configuration.</summary>
    /// <param name="origin">The file or stream, for the report of errors that do not name it.</param>
    /// <param name="load">Decodes and validates; throws <see cref="XdsConfigException"/>.</param>
    public OfferResult Offer(string origin, Func<T> load)
    {
        lock (gate)
        {
            string error;
            try
            {
                var offered = load();
                if (offered.Equals(current))
                {
                    return new OfferResult(OfferOutcome.Unchanged, null);
                }
                publish(offered);
                Volatile.Write(ref current, offered);
                return new OfferResult(OfferOutcome.Published, null);
            }
            catch (XdsConfigException e)
            {
                error = e.FileName is null ? origin + ": " + e.Message : e.Message;
            }
            catch (PolicyConfigException e)
            {
                error = origin + ": " + Text.Printable.Clip(e.Message);
            }
            report(error);
            return new OfferResult(OfferOutcome.Rejected, error);
        }
    }
}
